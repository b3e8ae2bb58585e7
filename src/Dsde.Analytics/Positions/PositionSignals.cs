namespace Dsde.Analytics.Positions;

/// <summary>What was measured where the draft proposed a token; NaN where nothing was.</summary>
/// <param name="Kld">KL divergence target ‖ draft, nats.</param>
/// <param name="Beta">Expected acceptance.</param>
/// <param name="DraftEntropy">Entropy of the draft's distribution, nats.</param>
internal readonly record struct PositionSignals(float Kld, float Beta, float DraftEntropy)
{
    /// <summary>Nothing was measured.</summary>
    public static readonly PositionSignals Unknown = new(float.NaN, float.NaN, float.NaN);

    /// <summary>These, with others in place of what was not measured.</summary>
    public PositionSignals Or(PositionSignals others) =>
        new(
            float.IsNaN(Kld) ? others.Kld : Kld,
            float.IsNaN(Beta) ? others.Beta : Beta,
            float.IsNaN(DraftEntropy) ? others.DraftEntropy : DraftEntropy
        );

    /// <summary>The mean of each where it was measured; 0 where none was.</summary>
    public static PositionSignals Mean(IEnumerable<PositionSignals> signals)
    {
        var all = signals.ToList();
        return new PositionSignals(Mean(all, one => one.Kld), Mean(all, one => one.Beta), Mean(all, one => one.DraftEntropy));
    }

    private static float Mean(List<PositionSignals> signals, Func<PositionSignals, float> field) =>
        signals.Select(field).Where(value => !float.IsNaN(value)).DefaultIfEmpty(0).Average();
}
