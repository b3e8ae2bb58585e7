namespace Dsde.Engine.Models;

/// <summary>How rotary frequencies are stretched for contexts longer than those first trained on.</summary>
/// <param name="Kind">The rule.</param>
/// <param name="Factor">What long wavelengths are multiplied by; at least 1.</param>
internal sealed record RopeScaling(RopeScalingKind Kind, double Factor)
{
    /// <summary>Llama 3: wavelengths above the original context over this are stretched in full.</summary>
    public double LowFrequencyFactor { get; init; }

    /// <summary>Llama 3: wavelengths below the original context over this are left alone; above <see cref="LowFrequencyFactor"/>.</summary>
    public double HighFrequencyFactor { get; init; }

    /// <summary>Llama 3: positions first trained on.</summary>
    public int OriginalContextLength { get; init; }

    /// <summary>The frequency that takes the place of an unscaled one, both in radians per position.</summary>
    public double Scale(double frequency)
    {
        if (Kind == RopeScalingKind.Linear)
        {
            return frequency / Factor;
        }

        // How many of the wave's turns fit into the original context decides; in between the two are mixed.
        var turns = OriginalContextLength * frequency / (2 * Math.PI);
        var kept = Math.Clamp((turns - LowFrequencyFactor) / (HighFrequencyFactor - LowFrequencyFactor), 0, 1);
        return ((1 - kept) * frequency / Factor) + (kept * frequency);
    }
}
