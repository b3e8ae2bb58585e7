using System.Text.Json.Serialization;

namespace Dsde.Engine.Telemetry;

/// <summary>What is known of each committed token; all arrays have one entry per token.</summary>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public sealed record TokenSeries
{
    /// <summary>Distance between the two best target logits at the token's position: how near another choice was.</summary>
    public required float[] Margin { get; init; }

    /// <summary>
    /// Whether the draft's most probable token, given the true prefix, is the committed token: 1 yes, 0 no, −1 not known (no draft ran over
    /// the position). In greedy mode it depends on the position only, so that policies can be replayed offline.
    /// </summary>
    public required sbyte[] DraftMatch { get; init; }
}
