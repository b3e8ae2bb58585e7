namespace Dsde.Engine.Benchmarking;

/// <summary>How close a target runs to what the machine allows. All measured in one run, interleaved.</summary>
/// <param name="Target">Name of the target.</param>
/// <param name="DataType">Type of weights and activations: <c>bf16</c>, <c>fp16</c> or <c>fp32</c>.</param>
/// <param name="Device">Where it was measured.</param>
/// <param name="Threads">CPU threads.</param>
/// <param name="LinearWeightBytes">Bytes of the linear layers' weights, the output projection's included: what one pass reads at
/// least.</param>
/// <param name="ReadBytesPerSecond">Plain read of a buffer much larger than the caches, by the same threads.</param>
/// <param name="Cases">One entry per case, in the order asked for.</param>
public sealed record RooflineReport(
    string Target,
    string DataType,
    string Device,
    int Threads,
    long LinearWeightBytes,
    double ReadBytesPerSecond,
    IReadOnlyList<RooflineMeasurement> Cases
)
{
    /// <summary>What multiplies on a CPU, and why, in words; null on GPUs.</summary>
    public string? Kernels { get; init; }

    /// <summary>
    /// Floating-point operations per second of the same threads and kernels where nothing comes from memory; null on GPUs and for torch.
    /// </summary>
    public double? OperationsPerSecond { get; init; }

    /// <summary>Attention over long contexts; empty if it was not measured.</summary>
    public IReadOnlyList<LongContextMeasurement> Attention { get; init; } = [];

    /// <summary>Working long prompts through; null if it was not measured.</summary>
    public PrefillMeasurement? Prefill { get; init; }

    /// <summary>Milliseconds that plainly reading the weights takes: the floor of any pass.</summary>
    public double ReadMs => LinearWeightBytes / ReadBytesPerSecond * 1000;

    /// <summary>Time of the linear layers by that of a single row; null where that was not measured.</summary>
    public double? RowsRatio(RooflineMeasurement measurement)
    {
        ArgumentNullException.ThrowIfNull(measurement);
        return measurement.LinearMs / Cases.FirstOrDefault(other => other.Case.RowCount == 1)?.LinearMs;
    }

    /// <summary>
    /// Milliseconds that the linear layers of a case take at least: to read the weights, or to multiply them with all rows, whichever is
    /// longer.
    /// </summary>
    public double FloorMs(RooflineMeasurement measurement)
    {
        ArgumentNullException.ThrowIfNull(measurement);
        var operations = 2.0 * measurement.Case.RowCount * LinearWeightBytes / (DataType == "fp32" ? sizeof(float) : sizeof(ushort));
        return Math.Max(ReadMs, operations / OperationsPerSecond * 1000 ?? 0);
    }
}
