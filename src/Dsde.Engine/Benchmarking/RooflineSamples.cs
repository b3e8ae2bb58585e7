namespace Dsde.Engine.Benchmarking;

/// <summary>Times of a measurement, collected round by round.</summary>
internal sealed class RooflineSamples(IReadOnlyList<RooflineCase> cases)
{
    private readonly List<double> _readMs = [];
    private readonly List<double> _operations = []; // per second
    private readonly List<double>[] _linearMs = Lists(cases.Count);
    private readonly List<double>[] _forwardMs = Lists(cases.Count);
    private readonly List<double>[] _iterationMs = Lists(cases.Count);

    /// <summary>Plain reads, from their median.</summary>
    public double ReadBytesPerSecond => BandwidthProbe.ByteCount / (Median(_readMs) / 1000);

    /// <summary>The most that the kernels multiply, from their median; null where it wasn't measured.</summary>
    public double? OperationsPerSecond => _operations.Count > 0 ? Median(_operations) : null;

    /// <summary>One round.</summary>
    public void Measure(
        BandwidthProbe bandwidth,
        ComputeProbe? compute,
        PassProbe passes,
        IterationProbe? iterations,
        CancellationToken cancellationToken
    )
    {
        _readMs.Add(bandwidth.Measure());
        if (compute is not null)
        {
            _operations.Add(compute.Measure());
        }

        for (var i = 0; i < cases.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            passes.MeasureLinear(cases[i]); // whatever ran before left threads asleep and caches full of something else
            _linearMs[i].Add(passes.MeasureLinear(cases[i]));
            _forwardMs[i].Add(passes.MeasureForward(cases[i]));
            if (iterations is not null && cases[i].RowsPerSequence == 1)
            {
                _iterationMs[i].Add(iterations.Measure(cases[i].SequenceCount, cancellationToken));
            }
        }
    }

    /// <summary>Forgets what was measured.</summary>
    public void Clear()
    {
        foreach (var times in (IEnumerable<List<double>>)[_readMs, _operations, .. _linearMs, .. _forwardMs, .. _iterationMs])
        {
            times.Clear();
        }
    }

    /// <summary>Medians per case.</summary>
    public IReadOnlyList<RooflineMeasurement> Summarize() =>
        [
            .. cases.Select(
                (@case, i) =>
                    new RooflineMeasurement(
                        @case,
                        Median(_linearMs[i]),
                        Median(_forwardMs[i]),
                        _iterationMs[i].Count > 0 ? Median(_iterationMs[i]) : null
                    )
            ),
        ];

    /// <summary>The median of some times.</summary>
    public static double Median(IEnumerable<double> times)
    {
        var sorted = times.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static List<double>[] Lists(int count) => [.. Enumerable.Range(0, count).Select(_ => new List<double>())];
}
