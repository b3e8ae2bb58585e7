namespace Dsde.Speculation.Guarding;

/// <summary>
/// Time as a function of rows, from measurements: between measured points the line, beyond the last the last slope, and more rows never
/// take less time. Real curves are flat while weights stream from memory, then rise, with steps where another kernel takes over.
/// </summary>
internal sealed class CostCurve
{
    private readonly (int Rows, double Milliseconds)[] _knots;
    private readonly double[] _byRows; // up to the last knot: it is asked for a hundred times per iteration
    private readonly double _slope;

    private CostCurve((int Rows, double Milliseconds)[] knots)
    {
        _knots = knots;
        var last = knots[^1];
        _byRows = new double[last.Rows + 1];
        for (int rows = 0, above = 0; rows <= last.Rows; rows++)
        {
            above += knots[above].Rows < rows ? 1 : 0;
            _byRows[rows] = above == 0 ? knots[0].Milliseconds : Between(knots[above - 1], knots[above], rows);
        }

        var earlier = Array.FindLast(knots, knot => knot.Rows < last.Rows);
        _slope = earlier.Rows == 0 ? 0 : (last.Milliseconds - earlier.Milliseconds) / (last.Rows - earlier.Rows);
    }

    /// <summary>The points between which it runs, by rows.</summary>
    public IReadOnlyList<(int Rows, double Milliseconds)> Knots => _knots;

    /// <summary>
    /// Of all rising curves the one nearest to the medians of what was measured (pool adjacent violators; Ayer et al. 1955); null without
    /// measurements.
    /// </summary>
    public static CostCurve? Fit(IEnumerable<(int Rows, double Milliseconds)> measurements)
    {
        var pools = new List<(double Time, int Weight, int Members)>();
        var rows = new List<int>();
        foreach (var group in measurements.GroupBy(measured => measured.Rows).OrderBy(group => group.Key))
        {
            var times = group.Select(measured => measured.Milliseconds).Order().ToArray();
            rows.Add(group.Key);
            pools.Add(((times[(times.Length - 1) / 2] + times[times.Length / 2]) / 2, times.Length, 1));
            while (pools.Count > 1 && pools[^2].Time > pools[^1].Time)
            {
                var (a, b) = (pools[^2], pools[^1]);
                pools.RemoveAt(pools.Count - 1);
                var weight = a.Weight + b.Weight;
                pools[^1] = (((a.Time * a.Weight) + (b.Time * b.Weight)) / weight, weight, a.Members + b.Members);
            }
        }

        var fitted = pools.SelectMany(pool => Enumerable.Repeat(pool.Time, pool.Members));
        return rows.Count == 0 ? null : new CostCurve([.. rows.Zip(fitted)]);
    }

    /// <summary>Milliseconds of so many rows, at least 1.</summary>
    public double At(int rows) => rows < _byRows.Length ? _byRows[rows] : _knots[^1].Milliseconds + (_slope * (rows - _knots[^1].Rows));

    /// <summary>The curve of something that takes so many times as long.</summary>
    public CostCurve Times(double factor) => new([.. _knots.Select(knot => (knot.Rows, factor * knot.Milliseconds))]);

    private static double Between((int Rows, double Milliseconds) a, (int Rows, double Milliseconds) b, int rows) =>
        a.Milliseconds + ((b.Milliseconds - a.Milliseconds) * (rows - a.Rows) / (b.Rows - a.Rows));
}
