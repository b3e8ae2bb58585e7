namespace Dsde.Engine.Sampling;

/// <summary>
/// Names one row of noise, that of a (seed, position): its two halves key two rounds of hashing, so that no two rows are shifts of each
/// other.
/// </summary>
internal readonly record struct NoiseKey(uint First, uint Second)
{
    /// <summary>
    /// The key of a position, prompt and output counted together: it depends on nothing else, so draft, target and a resumed request share
    /// it.
    /// </summary>
    public static NoiseKey Of(ulong seed, int position)
    {
        var bits = CounterRandom.Bits(seed, CounterRandom.Purpose.Noise, 0, position);
        return new NoiseKey((uint)bits, (uint)(bits >> 32));
    }
}
