using Dsde.Persistence.Jobs;

namespace Dsde.Analytics.Costs;

/// <summary>
/// Finds out which outputs shared iterations. An iteration stands in the trace of everyone who took part, with the same two times to the
/// last bit, which no other has.
/// </summary>
internal static class TracedIterations
{
    /// <summary>The iterations of one worker's traces.</summary>
    public static IReadOnlyList<TracedIteration> Find(IEnumerable<JobTrace> traces)
    {
        var parts = new List<(TracedIteration Shared, int BatchSize, int Length, int Lag)>();
        foreach (var trace in traces)
        {
            if (
                trace is
                {
                    IterationLength: { } lengths,
                    IterationAccepted: { } accepted,
                    IterationBatchSize: { } sizes,
                    IterationBatchRows: { } rows,
                    IterationDraftMs: { } draftMs,
                    IterationVerifyMs: { } verifyMs
                }
            )
            {
                var lag = 1;
                for (var i = 0; i < lengths.Length; i++)
                {
                    parts.Add((new TracedIteration(rows[i], 0, 0, draftMs[i], verifyMs[i]), sizes[i], lengths[i], lag));
                    lag =
                        lengths[i] == 0 ? lag + 1
                        : accepted[i] >= lengths[i] ? 2
                        : 1;
                }
            }
        }

        return
        [
            .. parts
                .GroupBy(part => (part.Shared, part.BatchSize))
                .SelectMany(group =>
                    group.Chunk(group.Key.BatchSize).Select(members => Assemble(group.Key.Shared, group.Key.BatchSize, members))
                ),
        ];
    }

    private static TracedIteration Assemble(
        TracedIteration shared,
        int batchSize,
        (TracedIteration Shared, int BatchSize, int Length, int Lag)[] members
    )
    {
        var drafting = members.Where(member => member.Length > 0).ToList();
        var draftRows = drafting.Sum(member => member.Lag + member.Length - 1);
        return shared with
        {
            DraftSteps = members.Max(member => member.Length),
            DraftRows = (double)draftRows * batchSize / members.Length,
        };
    }
}
