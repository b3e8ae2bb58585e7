namespace Dsde.Speculation;

/// <summary>
/// Chooses each sequence's length from the stability of its recent KL divergences, and caps the outliers so that a batch does not wait for
/// them (Yang et al., arXiv 2509.01083).
/// </summary>
/// <param name="name">As telemetry names it.</param>
/// <param name="options">The variant.</param>
/// <param name="maxSpeculationLength">Upper bound of every length, at least 1.</param>
internal sealed class DsdePolicy(string name, DsdeOptions options, int maxSpeculationLength) : ISpeculationPolicy
{
    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public bool Speculates => true;

    /// <summary>As long as when it knows nothing yet: what calibration finds is a bound for the draft.</summary>
    public int LengthWithoutSignal => Math.Min(options.InitialLength, maxSpeculationLength);

    /// <inheritdoc/>
    public bool IsGuarded => options.IsGuarded;

    /// <inheritdoc/>
    public IEarlyStopping? EarlyStopping => null;

    /// <inheritdoc/>
    public ISequencePolicyState CreateState(float temperature) => new DsdeSequenceState(options, maxSpeculationLength);

    /// <inheritdoc/>
    public void Plan(ReadOnlySpan<ISequencePolicyState> states, Span<SpeculationPlan> plans)
    {
        double predictedSum = 0;
        var calibratedCount = 0;
        for (var i = 0; i < states.Length; i++)
        {
            var state = (DsdeSequenceState)states[i];
            if (!state.IsCalibrated)
            {
                plans[i] = new SpeculationPlan(state.InitialLength);
                continue;
            }

            plans[i] = state.Predict(out var predictedLength);
            predictedSum += predictedLength;
            calibratedCount++;
        }

        if (options.CapEnabled && calibratedCount > 0)
        {
            ApplyCap(states, plans, predictedSum / calibratedCount);
        }
    }

    /// <summary>Sequences still being calibrated neither shape the cap nor obey it: their lengths are measurements.</summary>
    private static void ApplyCap(ReadOnlySpan<ISequencePolicyState> states, Span<SpeculationPlan> plans, double cap)
    {
        var longest = (int)Math.Ceiling(cap);
        for (var i = 0; i < states.Length; i++)
        {
            if (((DsdeSequenceState)states[i]).IsCalibrated)
            {
                plans[i] = plans[i] with { Length = Math.Min(plans[i].Length, longest), Cap = (float)cap };
            }
        }
    }
}
