namespace Dsde.Analytics.Positions;

/// <summary>What was measured where the draft proposed a token; NaN where nothing was.</summary>
/// <param name="Kld">KL divergence target ‖ draft, nats.</param>
/// <param name="Beta">Expected acceptance.</param>
/// <param name="DraftEntropy">Entropy of the draft's distribution, nats.</param>
internal readonly record struct PositionSignals(float Kld, float Beta, float DraftEntropy)
{
    /// <summary>Nothing was measured.</summary>
    public static readonly PositionSignals Unknown = new(float.NaN, float.NaN, float.NaN);

    /// <summary>Whether something was.</summary>
    public bool IsKnown => !float.IsNaN(Kld);
}
