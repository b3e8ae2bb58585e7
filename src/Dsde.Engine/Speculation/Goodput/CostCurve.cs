namespace Dsde.Engine.Speculation.Goodput;

/// <summary>
/// Time of a pass as a function of its rows, from measurements. Real curves are flat while weights stream from memory, then rise, with
/// steps where another kernel takes over: so times are kept per row count (from 17 rows on per group of similar counts), each as the median
/// of recent ones, which a noisy machine's outliers don't move. A group with few or old measurements leans on its neighbours: what was once
/// measured as slow, perhaps by accident, is tried again. Neighbours that contradict the rule that more rows take no less time are
/// averaged. Where nothing was measured a gentle slope is assumed: a promise that is soon put to the test.
/// </summary>
internal sealed class CostCurve
{
    private const int ExactRows = 16;
    private const int GroupsPerDoubling = 4;
    private const int GroupCount = ExactRows + (10 * GroupsPerDoubling);
    private const double AssumedSlope = 0.02; // per row, relative to the nearest measured time
    private const double MaxAssumedSlope = 0.5; // per row, relative to the nearest measured time per row
    private const double LeastFraction = 0.3; // of the nearest measured time, for fewer rows
    private const double NeighbourWeight = 3; // measurements that what the neighbours say counts for
    private const int Neighbours = 2; // groups on either side
    private const double HalfLife = 200; // measurements on the curve by which an unvisited group loses half its weight
    private const double LeastWeight = 0.02; // below which it is forgotten

    private readonly RecentTimes?[] _groups = new RecentTimes?[GroupCount];
    private readonly List<(double Rows, double Milliseconds)> _knots = [];
    private long _count;
    private bool _isStale;

    /// <summary>Whether nothing has been measured yet.</summary>
    public bool IsEmpty => _count == 0;

    /// <summary>Takes in a measurement.</summary>
    /// <param name="rows">Rows of the pass, at least 1.</param>
    /// <param name="milliseconds">Its time.</param>
    public void Add(int rows, double milliseconds)
    {
        (_groups[GroupOf(rows)] ??= new RecentTimes()).Add(rows, milliseconds, ++_count);
        _isStale = true;
    }

    /// <summary>Milliseconds expected; only once something was measured.</summary>
    public double At(int rows)
    {
        if (_isStale)
        {
            Rebuild();
        }

        var above = 0;
        while (above < _knots.Count && _knots[above].Rows < rows)
        {
            above++;
        }

        return above == 0 ? Below(rows)
            : above == _knots.Count ? Above(rows)
            : Between(_knots[above - 1], _knots[above], rows);
    }

    private static int GroupOf(int rows) =>
        rows <= ExactRows ? rows - 1 : Math.Min(GroupCount - 1, ExactRows + (int)(GroupsPerDoubling * Math.Log2((double)rows / ExactRows)));

    private static double Between((double Rows, double Milliseconds) a, (double Rows, double Milliseconds) b, double rows) =>
        a.Milliseconds + ((b.Milliseconds - a.Milliseconds) * (rows - a.Rows) / (b.Rows - a.Rows));

    private static double SlopeAt((double Rows, double Milliseconds) knot) =>
        Math.Min(AssumedSlope, MaxAssumedSlope / knot.Rows) * knot.Milliseconds;

    private double Below(double rows)
    {
        var first = _knots[0];
        return Math.Max(LeastFraction * first.Milliseconds, first.Milliseconds - (SlopeAt(first) * (first.Rows - rows)));
    }

    private double Above(double rows)
    {
        var last = _knots[^1];
        var slope = SlopeAt(last);
        var earlier = _knots.FindLastIndex(knot => knot.Rows <= last.Rows / 2);
        if (earlier >= 0)
        {
            var measured = (last.Milliseconds - _knots[earlier].Milliseconds) / (last.Rows - _knots[earlier].Rows);
            slope = Math.Clamp(measured, slope / 2, last.Milliseconds / last.Rows);
        }

        return last.Milliseconds + (slope * (rows - last.Rows));
    }

    private void Rebuild()
    {
        var measured = new List<Measured>();
        for (var i = 0; i < _groups.Length; i++)
        {
            if (_groups[i] is not { } times)
            {
                continue;
            }

            var weight = times.Count * Math.Pow(0.5, (_count - times.LastSeen) / HalfLife);
            if (weight < LeastWeight)
            {
                _groups[i] = null;
                continue;
            }

            measured.Add(new Measured(times.MeanRows, times.Typical, weight));
        }

        PoolViolators(measured);
        _isStale = false;
    }

    /// <summary>A group's time, blended with what its nearest neighbours make of it.</summary>
    private static double Smooth(List<Measured> measured, int index)
    {
        var own = measured[index];
        double sum = 0,
            weights = 0;
        for (var i = Math.Max(0, index - Neighbours); i <= Math.Min(measured.Count - 1, index + Neighbours); i++)
        {
            if (i != index)
            {
                var neighbour = measured[i];
                var expected = neighbour.Milliseconds + (SlopeAt((neighbour.Rows, neighbour.Milliseconds)) * (own.Rows - neighbour.Rows));
                sum += neighbour.Weight * Math.Max(LeastFraction * neighbour.Milliseconds, expected);
                weights += neighbour.Weight;
            }
        }

        var trust = Math.Min(NeighbourWeight, weights);
        return weights == 0 ? own.Milliseconds : ((own.Weight * own.Milliseconds) + (trust * sum / weights)) / (own.Weight + trust);
    }

    /// <summary>The monotone curve nearest to the groups' times (pool adjacent violators).</summary>
    private void PoolViolators(List<Measured> measured)
    {
        var pools = new List<(double Time, double Weight, int Members)>();
        for (var i = 0; i < measured.Count; i++)
        {
            pools.Add((Smooth(measured, i), measured[i].Weight, 1));
            while (pools.Count > 1 && pools[^2].Time > pools[^1].Time)
            {
                var (a, b) = (pools[^2], pools[^1]);
                pools.RemoveAt(pools.Count - 1);
                pools[^1] = (
                    ((a.Time * a.Weight) + (b.Time * b.Weight)) / (a.Weight + b.Weight),
                    a.Weight + b.Weight,
                    a.Members + b.Members
                );
            }
        }

        _knots.Clear();
        foreach (var (time, _, members) in pools)
        {
            for (var i = 0; i < members; i++)
            {
                _knots.Add((measured[_knots.Count].Rows, time));
            }
        }
    }

    private readonly record struct Measured(double Rows, double Milliseconds, double Weight);
}
