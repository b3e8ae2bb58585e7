namespace Dsde.Speculation;

/// <summary>One sequence under AdaEDL: its threshold λ, steered by its acceptance.</summary>
/// <param name="maxLength">Most tokens drafted.</param>
internal sealed class AdaEdlSequenceState(int maxLength) : ISequencePolicyState
{
    /// <inheritdoc/>
    public int? CalibrationMaxAccepted => null;

    /// <inheritdoc/>
    public int? CalibrationMaxLength => null;

    /// <summary>The threshold λ.</summary>
    public double Threshold { get; private set; } = AdaEdlConstants.InitialThreshold;

    /// <summary>The smoothed acceptance rate r. The source names no first value; the wanted one moves the threshold neither way.</summary>
    public double AcceptanceRate { get; private set; } = AdaEdlConstants.WantedAcceptance;

    /// <summary>Whether a proposal of this draft entropy (nats) is too uncertain to draft on behind it: 1 − √(γ·H) below λ.</summary>
    public bool Doubts(double entropy) => 1 - Math.Sqrt(AdaEdlConstants.EntropyFactor * Math.Max(0, entropy)) < Threshold;

    /// <inheritdoc/>
    public void Observe(in VerifiedStep step)
    {
        if (step.Proposed == 0)
        {
            return;
        }

        AcceptanceRate = Blend(AdaEdlConstants.AcceptanceMemory, AcceptanceRate, (double)step.Accepted / step.Proposed);
        Threshold = Blend(AdaEdlConstants.ThresholdMemory, Threshold, Target(step.Accepted));
    }

    /// <summary>Everything it knows, as numbers that only a state of the same policy can read.</summary>
    public double[] Export() => [Threshold, AcceptanceRate];

    /// <summary>
    /// Takes over what <see cref="Export"/> gave; only while it knows nothing yet. Then it decides as the other would have.
    /// </summary>
    /// <exception cref="FormatException">The numbers are not those of such a state.</exception>
    public void Restore(ReadOnlySpan<double> exported)
    {
        if (exported.Length != 2)
        {
            throw new FormatException("These numbers are not the state of a sequence under AdaEDL.");
        }

        (Threshold, AcceptanceRate) = (exported[0], exported[1]);
    }

    /// <summary>λ′: raised to stop earlier, lowered where the maximum itself was the limit.</summary>
    private double Target(int accepted)
    {
        if (AcceptanceRate < AdaEdlConstants.WantedAcceptance)
        {
            return Threshold + AdaEdlConstants.ThresholdStep;
        }

        return AcceptanceRate > AdaEdlConstants.WantedAcceptance && accepted == maxLength
            ? Threshold - AdaEdlConstants.ThresholdStep
            : Threshold;
    }

    private static double Blend(double memory, double past, double present) => (memory * past) + ((1 - memory) * present);
}
