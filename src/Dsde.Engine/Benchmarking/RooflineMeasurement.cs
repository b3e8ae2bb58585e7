namespace Dsde.Engine.Benchmarking;

/// <summary>Medians of one case, in milliseconds.</summary>
/// <param name="Case">The pass.</param>
/// <param name="LinearMs">The target's linear layers alone, on as many rows: the floor of the forward pass.</param>
/// <param name="ForwardMs">The whole forward pass of the target.</param>
/// <param name="IterationMs">
/// One iteration of the engine with the autoregressive policy, with sampling, telemetry and bookkeeping; null where a sequence has more
/// than one row or iterations aren't measured.
/// </param>
public sealed record RooflineMeasurement(RooflineCase Case, double LinearMs, double ForwardMs, double? IterationMs)
{
    /// <summary>Forward pass over its floor.</summary>
    public double ForwardRatio => ForwardMs / LinearMs;

    /// <summary>Iteration over the floor of its forward pass.</summary>
    public double? IterationRatio => IterationMs / LinearMs;
}
