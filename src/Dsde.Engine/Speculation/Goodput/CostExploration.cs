namespace Dsde.Engine.Speculation.Goodput;

/// <summary>
/// Sees to it that costs are known where they matter: a curve can't tell what it was never asked. A young engine tries a few lengths; later a rare iteration
/// goes a little beyond, or stops a little short of, what seems best, and so meets a step in the costs, or one that is gone.
/// </summary>
/// <param name="costs">The engine's measured costs.</param>
internal sealed class CostExploration(IterationCosts costs)
{
    private const int Interval = 32;
    private static readonly int[] FirstLengths = [4, 0, 8, 2, 0, 6];
    private static readonly int[] Deviations = [1, -1, 2, -2];
    private int _tried;
    private int _iterations;
    private int _deviations;

    /// <summary>The length to try with all sequences in this iteration; null for none.</summary>
    public int? NextFirstLength() =>
        _tried < FirstLengths.Length && costs.IterationCount < 2 * FirstLengths.Length ? FirstLengths[_tried++] : null;

    /// <summary>How many tokens longer, or shorter, than seems best this iteration's lengths should be; mostly 0.</summary>
    public int NextDeviation() => ++_iterations % Interval == 0 ? Deviations[_deviations++ % Deviations.Length] : 0;
}
