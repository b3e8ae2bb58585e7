namespace Dsde.Engine.Speculation.Goodput;

/// <summary>Lengths for some sequences of a batch, and what they promise.</summary>
/// <param name="Lengths">Tokens to propose. <c>[n]</c></param>
/// <param name="Rate">Expected tokens of the batch per millisecond with them.</param>
/// <param name="PlainRate">The same if none of these sequences proposes anything.</param>
internal readonly record struct LengthAllocation(int[] Lengths, double Rate, double PlainRate);
