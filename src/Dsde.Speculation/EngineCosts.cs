namespace Dsde.Speculation;

/// <summary>
/// What an engine's passes cost on its machine, measured when the models were loaded: points by rows, rising, between which lines run.
/// </summary>
/// <param name="Target">A pass of the target.</param>
/// <param name="Draft">A pass of the draft; free where there is none.</param>
/// <param name="PlainRest">Everything but the passes in an iteration without proposals, by rows of the target's pass.</param>
/// <param name="SpeculatingRest">The same with proposals of the draft.</param>
public sealed record EngineCosts(
    IReadOnlyList<PassCost> Target,
    IReadOnlyList<PassCost> Draft,
    IReadOnlyList<PassCost> PlainRest,
    IReadOnlyList<PassCost> SpeculatingRest
)
{
    /// <summary>The same where all proposals come from lookup; null where it is taken to be what it is with a draft.</summary>
    public IReadOnlyList<PassCost>? LookupRest { get; init; }
}

/// <summary>What a pass of so many rows costs.</summary>
/// <param name="Rows">Rows: tokens of all sequences in the pass.</param>
/// <param name="Ms">Milliseconds.</param>
public readonly record struct PassCost(int Rows, double Ms);
