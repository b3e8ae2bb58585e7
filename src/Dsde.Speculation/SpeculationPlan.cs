namespace Dsde.Speculation;

/// <summary>A policy's choice for one sequence and one iteration, with what led to it; NaN where a policy has no such value.</summary>
/// <param name="Length">Tokens to propose, at least 0.</param>
/// <param name="PredictedLength">Prediction before rounding and cap (SL̂).</param>
/// <param name="ScaleFactor">Scale factor SF.</param>
/// <param name="Wvir">Weighted variance ratio WVIR.</param>
/// <param name="Cap">Adaptive cap SL_cap of the batch.</param>
public readonly record struct SpeculationPlan(
    int Length,
    float PredictedLength = float.NaN,
    float ScaleFactor = float.NaN,
    float Wvir = float.NaN,
    float Cap = float.NaN
)
{
    /// <summary>What the policy wished, as far as the request had room for it; the engine fills it in.</summary>
    public int Wish { get; init; }

    /// <summary>What was allowed of it; the engine fills it in.</summary>
    public int Allowed { get; init; }

    /// <summary>What made the length what it is; the engine fills it in.</summary>
    public LengthDecider DecidedBy { get; init; }
}
