using System.Numerics;
using System.Runtime.InteropServices;

namespace Dsde.Engine.Sampling;

/// <summary>Fills rows of <see cref="GumbelNoise"/> with vector instructions. Every element depends on its key and index only.</summary>
internal static class NoiseKernel
{
    /// <summary>
    /// First multiplier of the hash: Wellons' search for 32-bit permutations of low bias (hash-prospector, 16-15-15, bias 0.107).
    /// </summary>
    public const uint FirstFactor = 0x21f0aaad;

    /// <summary>Second multiplier, as above.</summary>
    public const uint SecondFactor = 0x735a2d97;

    /// <summary>2⁻³²: from a hash to a fraction of 1.</summary>
    public const float HashScale = 1f / (1L << 32);

    /// <summary>1 − 2⁻²⁴. A hash near 2³² rounds up to it as a float, and a uniform of exactly 1 would make the noise −∞.</summary>
    public const float LargestUniform = 1f - (1f / (1 << 24));

    /// <summary>Noise of the token ids 0, 1, ….</summary>
    public static void Fill(Span<float> row, NoiseKey key)
    {
        var width = Vector<float>.Count;
        var ids = Vector.CreateSequence(0u, 1u);
        var whole = row.Length - (row.Length % width);
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(row[..whole]);
        for (var i = 0; i < vectors.Length; i++, ids += new Vector<uint>((uint)width))
        {
            vectors[i] = FromHash(Hash(ids, key));
        }

        Span<float> last = stackalloc float[width];
        FromHash(Hash(ids, key)).CopyTo(last);
        last[..(row.Length - whole)].CopyTo(row[whole..]);
    }

    /// <summary>Noise by hash; finite for every one.</summary>
    public static Vector<float> FromHash(Vector<uint> hash)
    {
        var uniform = Vector.Min((Vector.ConvertToSingle(hash) + new Vector<float>(0.5f)) * HashScale, new Vector<float>(LargestUniform));

        // ln(1 − w) without losing small w to rounding (Kahan): ln(y)·w/(1 − y), y = 1 − w as rounded; where y is 1, it is −w.
        var rounded = Vector<float>.One - uniform;
        var exponential = Vector.ConditionalSelect(
            Vector.Equals(rounded, Vector<float>.One),
            uniform,
            -Vector.Log(rounded) * uniform / (Vector<float>.One - rounded)
        );
        return -Vector.Log(exponential);
    }

    private static Vector<uint> Hash(Vector<uint> ids, NoiseKey key) =>
        Mix(Mix(ids + new Vector<uint>(key.First)) + new Vector<uint>(key.Second));

    private static Vector<uint> Mix(Vector<uint> value)
    {
        value = (value ^ (value >>> 16)) * new Vector<uint>(FirstFactor);
        value = (value ^ (value >>> 15)) * new Vector<uint>(SecondFactor);
        return value ^ (value >>> 15);
    }
}
