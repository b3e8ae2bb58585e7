namespace Dsde.Engine.Speculation;

/// <summary>
/// Always the same length: the field's usual baseline; length 0 is plain autoregressive decoding, without the draft model.
/// </summary>
internal sealed class StaticPolicy(string name, int length) : ISpeculationPolicy
{
    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public bool UsesDraft => length > 0;

    /// <inheritdoc/>
    public bool PrefillsDraft => UsesDraft;

    /// <inheritdoc/>
    public bool PlansLast => false;

    /// <inheritdoc/>
    public IEarlyStopping? EarlyStopping => null;

    /// <inheritdoc/>
    public ISequencePolicyState CreateState(float temperature) => NoState.Instance;

    /// <inheritdoc/>
    public void Plan(in PlanningContext context, ReadOnlySpan<ISequencePolicyState> states, Span<SpeculationPlan> plans) =>
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
