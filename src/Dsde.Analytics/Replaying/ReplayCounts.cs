namespace Dsde.Analytics.Replaying;

/// <summary>What a policy comes to over some outputs. Where acceptance is by chance the numbers are expected ones.</summary>
/// <param name="Outputs">The outputs.</param>
/// <param name="Tokens">Tokens generated.</param>
/// <param name="Iterations">Iterations of single outputs.</param>
/// <param name="Speculating">Those of them in which something was proposed.</param>
/// <param name="Proposed">Tokens proposed.</param>
/// <param name="Accepted">Tokens accepted and kept.</param>
/// <param name="Milliseconds">The machine's time, prompts included; null if nobody knows.</param>
public readonly record struct ReplayCounts(
    double Outputs,
    double Tokens,
    double Iterations,
    double Speculating,
    double Proposed,
    double Accepted,
    double? Milliseconds
)
{
    /// <summary>Accepted by proposed tokens; null if nothing was proposed.</summary>
    public double? AcceptanceRate => Proposed > 0 ? Accepted / Proposed : null;

    /// <summary>Tokens per target pass of one output, without the prompt's own.</summary>
    public double? BlockEfficiency => Iterations > 0 ? (Tokens - Outputs) / Iterations : null;

    /// <summary>Mean length of an iteration.</summary>
    public double? MeanLength => Iterations > 0 ? Proposed / Iterations : null;

    /// <summary>Tokens per second of the machine's time.</summary>
    public double? TokensPerSecond => Milliseconds > 0 ? 1000 * Tokens / Milliseconds : null;

    /// <summary>Both together.</summary>
    public static ReplayCounts operator +(ReplayCounts a, ReplayCounts b) =>
        new(
            a.Outputs + b.Outputs,
            a.Tokens + b.Tokens,
            a.Iterations + b.Iterations,
            a.Speculating + b.Speculating,
            a.Proposed + b.Proposed,
            a.Accepted + b.Accepted,
            a.Milliseconds + b.Milliseconds
        );

    /// <summary>So many times as much.</summary>
    public static ReplayCounts operator *(double factor, ReplayCounts counts) =>
        new(
            factor * counts.Outputs,
            factor * counts.Tokens,
            factor * counts.Iterations,
            factor * counts.Speculating,
            factor * counts.Proposed,
            factor * counts.Accepted,
            factor * counts.Milliseconds
        );
}
