namespace Dsde.Engine.Speculation.Goodput;

/// <summary>
/// Sees to it that costs are known where they matter: a curve can't tell what it was never asked. A young engine proposes little, and
/// nothing, a few times; further out the curves promise more than they know, so that plans go there of their own accord and find out. Later
/// a rare iteration goes a little beyond, or stops a little short of, what seems best, and so meets a step in the costs, or one that is
/// gone.
/// </summary>
/// <param name="costs">The engine's measured costs.</param>
internal sealed class CostExploration(IterationCosts costs)
{
    private const int Interval = 32;
    private const int FirstLength = 2;
    private const int FirstTimes = 3; // iterations of a kind, before one slow one can't mislead
    private static readonly int[] Deviations = [1, -1, 2, -2];
    private int _iterations;
    private int _deviations;

    /// <summary>The length to try with all sequences in this iteration; null if enough is known to plan.</summary>
    public int? NextFirstLength() =>
        costs.SpeculatingCount < FirstTimes ? FirstLength
        : costs.PlainCount < FirstTimes ? 0
        : null;

    /// <summary>How many tokens longer, or shorter, than seems best this iteration's lengths should be; mostly 0.</summary>
    public int NextDeviation() => ++_iterations % Interval == 0 ? Deviations[_deviations++ % Deviations.Length] : 0;
}
