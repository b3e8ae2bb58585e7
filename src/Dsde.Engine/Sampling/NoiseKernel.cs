using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dsde.Engine.Sampling;

/// <summary><see cref="GumbelNoise"/> by vector instructions. Every number depends on its key and token id only.</summary>
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

    /// <summary>Hashes of token ids, from which their noise is made.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Hash(Vector512<uint> ids, NoiseKey key) =>
        Mix(Mix(ids + Vector512.Create(key.First)) + Vector512.Create(key.Second));

    /// <summary>Noise by hash; finite for every one.</summary>
    public static Vector512<float> FromHash(Vector512<uint> hash)
    {
        var uniform = Vector512.Min(ToUniform(hash), Vector512.Create(LargestUniform));

        // ln(1 − w) without losing small w to rounding (Kahan): ln(y)·w/(1 − y), y = 1 − w as rounded; where y is 1, it is −w.
        var rounded = Vector512<float>.One - uniform;
        var exponential = Vector512.ConditionalSelect(
            Vector512.Equals(rounded, Vector512<float>.One),
            uniform,
            -Vector512.Log(rounded) * uniform / (Vector512<float>.One - rounded)
        );
        return -Vector512.Log(exponential);
    }

    /// <summary>
    /// What the noise of a hash can't be above, without a logarithm or a division: −ln(−ln(1 − w)) ≤ −ln w, and the bits of a float, taken
    /// for a number, run in straight lines below its logarithm (by 0.06 at most).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> BoundOf(Vector512<uint> hash)
    {
        const float LogOf2 = 0.6931472f;
        const float PerBit = LogOf2 / (1 << 23);
        const float Rounding = 1e-4f;
        return Vector512.Create((127 * LogOf2) + Rounding)
            - (Vector512.ConvertToSingle(ToUniform(hash).AsInt32()) * Vector512.Create(PerBit));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> ToUniform(Vector512<uint> hash) =>
        (Vector512.ConvertToSingle(hash) + Vector512.Create(0.5f)) * Vector512.Create(HashScale);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Mix(Vector512<uint> value)
    {
        value = (value ^ (value >>> 16)) * Vector512.Create(FirstFactor);
        value = (value ^ (value >>> 15)) * Vector512.Create(SecondFactor);
        return value ^ (value >>> 15);
    }
}
