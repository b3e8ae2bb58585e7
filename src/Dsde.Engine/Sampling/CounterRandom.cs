namespace Dsde.Engine.Sampling;

/// <summary>
/// Uniform draws by key instead of by generator: what a request draws depends on its own seed and on where it is, never on its neighbours.
/// In rejection mode the key holds the length of the sequence when the iteration began as well as the position: a position that is drafted
/// again after a rejection draws anew, so that nothing a policy saw of an earlier draw can bias it. Coupled mode's noise is keyed by
/// position alone (<see cref="NoiseKey"/>): there a token does not depend on what was proposed.
/// </summary>
internal static class CounterRandom
{
    /// <summary>What a draw is for. Different purposes draw from disjoint ranges.</summary>
    public enum Purpose : ulong
    {
        /// <summary>Drawing a proposal from the draft distribution.</summary>
        Draft = 1,

        /// <summary>Accepting or rejecting a proposal.</summary>
        Accept = 2,

        /// <summary>Drawing the recovered or bonus token.</summary>
        Extra = 3,

        /// <summary>The noise that coupled samples share.</summary>
        Noise = 4,

        /// <summary>Seeds of the further choices of a request.</summary>
        Choice = 5,
    }

    /// <summary>A number in the open interval (0, 1): odd multiples of 2⁻²⁴, exact in a float, so that neither 0 nor 1 can occur.</summary>
    public static float Uniform(ulong seed, Purpose purpose, int sequenceLength, int position) =>
        ((Bits(seed, purpose, sequenceLength, position) >> 41) + 0.5f) * (1f / (1 << 23));

    /// <summary>64 bits by the same key.</summary>
    public static ulong Bits(ulong seed, Purpose purpose, int sequenceLength, int position)
    {
        var key = Mix(seed ^ ((ulong)purpose * 0x9E3779B97F4A7C15));
        return Mix(key + (((ulong)(uint)sequenceLength << 32) | (uint)position));
    }

    /// <summary>The finalizer of SplitMix64 (Steele et al. 2014), behind its increment.</summary>
    private static ulong Mix(ulong value)
    {
        value += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
