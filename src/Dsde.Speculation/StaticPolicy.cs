namespace Dsde.Speculation;

/// <summary>
/// Always the same length: the field's usual baseline; length 0 is plain autoregressive decoding, without the draft model. Behind the cost
/// guard it is the wish for as much as pays.
/// </summary>
/// <param name="name">As telemetry names it.</param>
/// <param name="length">Tokens proposed, at least 0.</param>
/// <param name="isGuarded">Whether the length is a wish.</param>
internal sealed class StaticPolicy(string name, int length, bool isGuarded = false) : ISpeculationPolicy
{
    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public bool Speculates => length > 0;

    /// <inheritdoc/>
    public int LengthWithoutSignal => length;

    /// <inheritdoc/>
    public bool IsGuarded => isGuarded;

    /// <inheritdoc/>
    public IEarlyStopping? EarlyStopping => null;

    /// <inheritdoc/>
    public ISequencePolicyState CreateState(float temperature) => NoState.Instance;

    /// <inheritdoc/>
    public void Plan(ReadOnlySpan<ISequencePolicyState> states, Span<SpeculationPlan> plans) =>
        plans[..states.Length].Fill(new SpeculationPlan(length));

    private sealed class NoState : ISequencePolicyState
    {
        public static readonly NoState Instance = new();

        public int? CalibrationMaxAccepted => null;

        public int? CalibrationMaxLength => null;

        /// <summary>A fixed length learns nothing.</summary>
        public void Observe(in VerifiedStep step) { }
    }
}
