namespace Dsde.Speculation.Guarding;

/// <summary>
/// Measures what iterations cost, once, before there is work: every number of rows that matters, in turn and repeatedly, so that what
/// disturbs the machine for a moment disturbs no point alone.
/// </summary>
/// <param name="batchSize">Most sequences at once.</param>
/// <param name="maxSpeculationLength">Most tokens proposed for each.</param>
/// <param name="hasDraft">Whether there is a draft to propose, besides lookup.</param>
/// <param name="measure">Makes an iteration of sequences that propose the given numbers of tokens, by the draft or by lookup.</param>
/// <param name="time">For the limit.</param>
internal sealed class CostProfiler(
    int batchSize,
    int maxSpeculationLength,
    bool hasDraft,
    Func<int[], IterationKind, IterationTiming> measure,
    TimeProvider time
)
{
    /// <summary>Most times that a point is measured.</summary>
    public const int MaxRounds = 9;

    private const int RoundsToWarmUp = 3; // code is compiled anew after some calls

    private readonly List<(int[] Lengths, IterationKind Kind, int Round, IterationTiming Timing)> _measured = [];

    /// <summary>
    /// Row counts from 1 to <paramref name="most"/>: all small ones, then two to a doubling, because the line between them serves well.
    /// </summary>
    public static IEnumerable<int> RowCounts(int most)
    {
        for (
            var rows = 1;
            rows < most;
            rows =
                    rows < 4 ? rows + 1
                    : (rows & (rows - 1)) == 0 ? rows * 3 / 2
                    : rows * 4 / 3
        )
        {
            yield return rows;
        }

        yield return most;
    }

    /// <summary>
    /// Measures until all rounds are done or the time is up. An iteration that is likely to exceed the time is not begun, but for the first
    /// of each kind: the largest models get by with these.
    /// </summary>
    /// <returns>What came of it, null if it was not enough.</returns>
    public CostProfile? Run(TimeSpan limit)
    {
        var start = time.GetTimestamp();
        (int[] Lengths, IterationKind Kind)[] points =
        [
            .. PlainPoints().Select(lengths => (lengths, IterationKind.Plain)),
            .. SpeculatingPoints().Where(_ => hasDraft).Select(lengths => (lengths, IterationKind.Drafting)),
            .. SpeculatingPoints().Select(lengths => (lengths, IterationKind.LookingUp)),
        ];
        for (var round = 0; round < MaxRounds; round++)
        {
            foreach (var (lengths, kind) in points)
            {
                var isFirstOfItsKind = _measured.TrueForAll(measured => measured.Kind != kind);
                var left = limit - time.GetElapsedTime(start);
                if (isFirstOfItsKind || Expect(lengths, kind) < left.TotalMilliseconds)
                {
                    _measured.Add((lengths, kind, round, measure(lengths, kind)));
                }
            }
        }

        return CostProfile.Fit([
            .. _measured
                .GroupBy(measured => (RowsOf(measured.Lengths), measured.Kind))
                .SelectMany(WarmedUp)
                .Select(measured => measured.Timing),
        ]);
    }

    /// <summary>A point's measurements without those of the first rounds, where there are others.</summary>
    private static IEnumerable<(int[] Lengths, IterationKind Kind, int Round, IterationTiming Timing)> WarmedUp(
        IEnumerable<(int[] Lengths, IterationKind Kind, int Round, IterationTiming Timing)> point
    )
    {
        var warm = point.Where(measured => measured.Round >= RoundsToWarmUp).ToList();
        return warm.Count > 0 ? warm : point;
    }

    private IEnumerable<int[]> PlainPoints() => RowCounts(batchSize).Select(rows => new int[rows]);

    /// <summary>As many sequences as possible with at least one proposal each, all as even as can be.</summary>
    private IEnumerable<int[]> SpeculatingPoints() =>
        RowCounts(batchSize * (maxSpeculationLength + 1))
            .Where(rows => rows >= 2)
            .Select(rows =>
            {
                var sequences = Math.Min(batchSize, rows / 2);
                return Enumerable.Range(0, sequences).Select(i => ((rows - i + sequences - 1) / sequences) - 1).ToArray();
            });

    /// <summary>Milliseconds, by the nearest smaller iteration of the kind; as if time rose with the rows.</summary>
    private double Expect(int[] lengths, IterationKind kind)
    {
        var rows = RowsOf(lengths);
        var nearest = _measured
            .Where(measured => RowsOf(measured.Lengths) <= rows && measured.Kind == kind)
            .DefaultIfEmpty((lengths, kind, 0, default))
            .MaxBy(measured => RowsOf(measured.Lengths));
        return nearest.Timing.TotalMs * rows / RowsOf(nearest.Lengths);
    }

    private static int RowsOf(int[] lengths) => lengths.Length + lengths.Sum();
}
