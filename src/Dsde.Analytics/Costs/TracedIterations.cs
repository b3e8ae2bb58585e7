using Dsde.Persistence.Analysis;

namespace Dsde.Analytics.Costs;

/// <summary>
/// Finds out which outputs shared iterations. An iteration stands in the trace of everyone who took part, with the same two times to the
/// last bit, which no other has.
/// </summary>
internal static class TracedIterations
{
    /// <summary>The iterations of one worker's traces.</summary>
    public static IReadOnlyList<TracedIteration> Find(IEnumerable<StoredTrace> traces)
    {
        var shares = new List<((float DraftMs, float VerifyMs, int BatchSize) Key, int Length, int Lag)>();
        foreach (var stored in traces)
        {
            var trace = stored.Trace;
            var lag = 1;
            for (var i = 0; i < trace.IterationLength.Length; i++)
            {
                var length = trace.IterationLength[i];
                shares.Add(((trace.IterationDraftMs[i], trace.IterationVerifyMs[i], trace.IterationBatchSize[i]), length, lag));
                lag =
                    length == 0 ? lag + 1
                    : trace.IterationAccepted[i] >= length ? 2
                    : 1;
            }
        }

        return
        [
            .. shares
                .GroupBy(share => share.Key)
                .SelectMany(group => group.Chunk(group.Key.BatchSize).Select(members => Assemble(group.Key, members))),
        ];
    }

    private static TracedIteration Assemble(
        (float DraftMs, float VerifyMs, int BatchSize) key,
        ((float, float, int) Key, int Length, int Lag)[] members
    )
    {
        var missing = (double)key.BatchSize / members.Length;
        var proposed = members.Sum(member => member.Length);
        var firstRows = members.Where(member => member.Length > 0).Sum(member => member.Lag);
        var speculating = members.Count(member => member.Length > 0);
        return new TracedIteration(
            members.Length,
            key.BatchSize,
            missing * (members.Length + proposed),
            members.Max(member => member.Length),
            missing * (firstRows + proposed - speculating),
            key.DraftMs,
            key.VerifyMs
        );
    }
}
