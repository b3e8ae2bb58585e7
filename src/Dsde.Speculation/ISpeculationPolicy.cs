namespace Dsde.Speculation;

/// <summary>
/// Chooses how many tokens are proposed for each sequence. One instance serves all sequences with the same configuration; what it
/// learns about a sequence lives in that sequence's state and ends with it. Called from the engine's thread only.
/// </summary>
public interface ISpeculationPolicy
{
    /// <summary>
    /// The policy and its parameters as telemetry names them, for example <c>static:4</c>; <see cref="PolicyConfiguration.Parse"/> reads it
    /// back.
    /// </summary>
    string Name { get; }

    /// <summary>Whether it may ever propose anything. If not, the draft model does not run at all, not even over the prompt.</summary>
    bool Speculates { get; }

    /// <summary>
    /// The length that it wishes for proposals without a distribution, those of lookup: there is no divergence and no entropy to go by, so
    /// that it is a number. Neither are such proposals reported to it.
    /// </summary>
    int LengthWithoutSignal { get; }

    /// <summary>
    /// Whether its lengths are wishes, of which the cost guard allows as much as pays; if not, they are taken as they are, whatever they
    /// cost.
    /// </summary>
    bool IsGuarded { get; }

    /// <summary>What ends drafting before the planned length; null if nothing does.</summary>
    IEarlyStopping? EarlyStopping { get; }

    /// <summary>State for a sequence that begins.</summary>
    /// <param name="temperature">The sequence's sampling temperature; 0 is greedy.</param>
    ISequencePolicyState CreateState(float temperature);

    /// <summary>
    /// Chooses the lengths of the next iteration for sequences that the draft proposes for. The engine lowers those that exceed what is
    /// left of a request.
    /// </summary>
    /// <param name="states">States, made by <see cref="CreateState"/>, of the sequences in the batch that follow this policy.</param>
    /// <param name="plans">One plan per state, to be filled in.</param>
    void Plan(ReadOnlySpan<ISequencePolicyState> states, Span<SpeculationPlan> plans);
}
