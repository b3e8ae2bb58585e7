namespace Dsde.Engine.Sampling;

/// <summary>
/// Seeds of the several outputs of one job (n &gt; 1, or several prompts), each of which is a request of its own to the engine.
/// </summary>
public static class ChoiceSeeds
{
    /// <summary>The seed of an output. The first one's is the request's own, so that its text is the same whatever n is.</summary>
    /// <param name="seed">Seed of the request.</param>
    /// <param name="choiceIndex">Which output, from 0.</param>
    public static ulong Of(ulong seed, int choiceIndex)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(choiceIndex);
        return choiceIndex == 0 ? seed : CounterRandom.Bits(seed, CounterRandom.Purpose.Choice, 0, choiceIndex);
    }
}
