using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dsde.Engine.Cpu.Kernels;

/// <summary>Elementary functions on sixteen numbers, within a few units of the last place.</summary>
internal static class SimdMath
{
    private const float LargestExponent = 88.37f;
    private const float SmallestExponent = -87.33f; // below it e^x is not a normal number

    /// <summary>
    /// e^x; 0 below the range of normal numbers, also for −∞. Cody and Waite's reduction, then the polynomial of Cephes' expf.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> x)
    {
        var inRange = Vector512.Min(Vector512.Max(x, Vector512.Create(SmallestExponent)), Vector512.Create(LargestExponent));
        var power = Vector512.Floor(Vector512.FusedMultiplyAdd(inRange, Vector512.Create(1.44269504f), Vector512.Create(0.5f)));
        var rest = Vector512.FusedMultiplyAdd(power, Vector512.Create(-0.693359375f), inRange);
        rest = Vector512.FusedMultiplyAdd(power, Vector512.Create(2.12194440e-4f), rest);
        var sum = Vector512.FusedMultiplyAdd(Vector512.Create(1.9875691500e-4f), rest, Vector512.Create(1.3981999507e-3f));
        sum = Vector512.FusedMultiplyAdd(sum, rest, Vector512.Create(8.3334519073e-3f));
        sum = Vector512.FusedMultiplyAdd(sum, rest, Vector512.Create(4.1665795894e-2f));
        sum = Vector512.FusedMultiplyAdd(sum, rest, Vector512.Create(1.6666665459e-1f));
        sum = Vector512.FusedMultiplyAdd(sum, rest, Vector512.Create(5.0000001201e-1f));
        sum = Vector512.FusedMultiplyAdd(sum, rest * rest, rest + Vector512<float>.One);
        var scale = ((Vector512.ConvertToInt32(power) + Vector512.Create(127)) << 23).AsSingle();
        return Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512.Create(SmallestExponent)), Vector512<float>.Zero, sum * scale);
    }

    /// <summary>1 / (1 + e^−x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Sigmoid(Vector512<float> x) => Vector512<float>.One / (Vector512<float>.One + Exp(-x));

    /// <summary>tanh x, from <see cref="Sigmoid"/>: absolute, not relative, precision near 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Tanh(Vector512<float> x) => (Vector512.Create(2f) * Sigmoid(x + x)) - Vector512<float>.One;

    /// <summary>x·σ(x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Silu(Vector512<float> x) => x * Sigmoid(x);

    /// <summary>GELU in its tanh form: x·(1 + tanh u) / 2 = x·σ(2u) with u = √(2/π)·(x + 0.044715·x³).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> GeluTanh(Vector512<float> x)
    {
        var u = Vector512.Create(0.7978845608f) * Vector512.FusedMultiplyAdd(x * x, Vector512.Create(0.044715f) * x, x);
        return x * Sigmoid(u + u);
    }
}
