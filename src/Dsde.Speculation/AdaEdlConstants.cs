namespace Dsde.Speculation;

/// <summary>Numbers of AdaEDL (Agrawal et al., arXiv 2410.18351) as the DSDE authors' reference implementation sets them.</summary>
internal static class AdaEdlConstants
{
    /// <summary>Most tokens drafted, where the configuration names no other number (DSDE paper, experiments).</summary>
    public const int BaseLength = 7;

    /// <summary>Tokens drafted before entropy is looked at.</summary>
    public const int MinLength = 1;

    /// <summary>Factor γ of the entropy in the lower bound of the acceptance.</summary>
    public const double EntropyFactor = 0.1;

    /// <summary>The threshold λ when a sequence begins.</summary>
    public const double InitialThreshold = 0.5;

    /// <summary>Acceptance α that the threshold is steered to.</summary>
    public const double WantedAcceptance = 0.9;

    /// <summary>Weight β₁ of the past in the smoothed acceptance rate.</summary>
    public const double AcceptanceMemory = 0.5;

    /// <summary>Weight β₂ of the past in the threshold.</summary>
    public const double ThresholdMemory = 0.9;

    /// <summary>Step ε of the threshold before smoothing.</summary>
    public const double ThresholdStep = 0.01;
}
