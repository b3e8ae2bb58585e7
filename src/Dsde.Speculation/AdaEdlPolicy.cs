namespace Dsde.Speculation;

/// <summary>
/// Drafts until the draft's entropy makes the next acceptance doubtful (AdaEDL: Agrawal et al., arXiv 2410.18351). The doubtful token
/// itself is proposed: its draft pass is spent, and judging it costs one row.
/// </summary>
/// <param name="name">As telemetry names it.</param>
/// <param name="length">Most tokens drafted, at least 1.</param>
/// <param name="stopsWholeBatch">Whether one sequence's doubt ends the drafting of all, as in the reference implementation.</param>
internal sealed class AdaEdlPolicy(string name, int length, bool stopsWholeBatch) : ISpeculationPolicy, IEarlyStopping
{
    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public bool Speculates => true;

    /// <inheritdoc/>
    public int LengthWithoutSignal => length;

    /// <inheritdoc/>
    public bool IsGuarded => false;

    /// <inheritdoc/>
    public IEarlyStopping EarlyStopping => this;

    /// <inheritdoc/>
    public ISequencePolicyState CreateState(float temperature) => new AdaEdlSequenceState(length);

    /// <inheritdoc/>
    public void Plan(ReadOnlySpan<ISequencePolicyState> states, Span<SpeculationPlan> plans) =>
        plans[..states.Length].Fill(new SpeculationPlan(length));

    /// <inheritdoc/>
    public void Decide(in DraftedStep step, Span<bool> goesOn)
    {
        if (step.Proposed < AdaEdlConstants.MinLength)
        {
            return;
        }

        for (var i = 0; i < goesOn.Length; i++)
        {
            goesOn[i] = !((AdaEdlSequenceState)step.States[i]).Doubts(step.Entropy[i]);
        }

        if (stopsWholeBatch && goesOn.Contains(false))
        {
            goesOn.Clear();
        }
    }
}
