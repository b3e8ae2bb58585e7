namespace Dsde.Contracts;

/// <summary>One of the most probable tokens at a position.</summary>
public sealed record TopLogProbability
{
    /// <summary>The token.</summary>
    public required int TokenId { get; init; }

    /// <summary>Its log-probability under the target, in nats, at temperature 1.</summary>
    public required double LogProbability { get; init; }
}
