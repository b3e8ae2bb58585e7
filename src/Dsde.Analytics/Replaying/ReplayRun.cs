using Dsde.Speculation.Guarding;

namespace Dsde.Analytics.Replaying;

/// <summary>Works through outputs in batches, as the engine would: whoever ends makes room for the next in line.</summary>
/// <param name="chooser">Chooses lengths.</param>
/// <param name="batchSize">Most outputs at once.</param>
/// <param name="costs">What iterations cost; null if nobody knows.</param>
internal sealed class ReplayRun(ILengthChooser chooser, int batchSize, CostProfile? costs)
{
    /// <summary>What all iterations cost together, ms; null if nobody knows.</summary>
    public double? Milliseconds { get; private set; } = costs is null ? null : 0;

    /// <summary>Runs all outputs, in their order of arrival.</summary>
    public IReadOnlyList<ReplayedSequence> Run(IEnumerable<ResolvedPositions> outputs)
    {
        var all = new List<ReplayedSequence>();
        var running = new List<ReplayedSequence>();
        using var waiting = outputs.GetEnumerator();
        var isMore = true;
        while (true)
        {
            running.RemoveAll(sequence => sequence.IsOver);
            while (running.Count < batchSize && (isMore = isMore && waiting.MoveNext()))
            {
                var sequence = chooser.Begin(waiting.Current);
                all.Add(sequence);
                if (!sequence.IsOver)
                {
                    running.Add(sequence);
                }
            }

            if (running.Count == 0)
            {
                return all;
            }

            var passes = chooser.Run(running);
            Milliseconds += costs?.Price(passes.Rows, passes.DraftRows.Sum(costs.Draft.At), passes.Kind);
        }
    }
}
