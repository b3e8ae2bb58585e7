using System.Text.Json.Serialization;

namespace Dsde.Engine.Telemetry;

/// <summary>
/// What was measured at each proposed token, iteration after iteration; all arrays have one entry per proposed token. Measured on the raw
/// distributions: temperature 1, before top-k and top-p. Proposals of lookup come from no distribution: NaN where one would be needed.
/// </summary>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public sealed record ProposalSeries
{
    /// <summary>KL divergence target ‖ draft, in nats.</summary>
    public required float[] Kld { get; init; }

    /// <summary>Expected acceptance β = Σ min(p, q), 0 to 1.</summary>
    public required float[] Beta { get; init; }

    /// <summary>Entropy of the draft distribution, in nats.</summary>
    public required float[] DraftEntropy { get; init; }

    /// <summary>Whether the position was on the path taken: not behind the iteration's first rejection.</summary>
    public required bool[] OnPath { get; init; }
}
