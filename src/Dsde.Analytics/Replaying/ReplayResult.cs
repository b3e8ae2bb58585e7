namespace Dsde.Analytics.Replaying;

/// <summary>What replaying a policy has come to.</summary>
public sealed record ReplayResult
{
    /// <summary>The policy with its parameters; <c>oracle</c> for the best that any could do.</summary>
    public required string Policy { get; init; }

    /// <summary>The counts.</summary>
    public required ReplayCounts Counts { get; init; }

    /// <summary>Outputs whose iterations are exactly those that the policy would have made.</summary>
    public required int ExactOutputs { get; init; }

    /// <summary>Why the others are not: each reason once.</summary>
    public required IReadOnlyList<string> Reservations { get; init; }

    /// <summary>Positions the policy proposed at where nobody knows whether the draft is right, as output and position.</summary>
    public required IReadOnlyList<UnknownPosition> UnknownPositions { get; init; }

    /// <summary>Measurements that the policy decided by and that are not there.</summary>
    public required int UnknownSignals { get; init; }
}

/// <summary>A position of which it is not known whether the draft is right there.</summary>
/// <param name="Output">The output.</param>
/// <param name="Position">The token, from 0.</param>
public readonly record struct UnknownPosition(string Output, int Position);
