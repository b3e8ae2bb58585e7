using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Dsde.Engine.Cpu.Kernels;

/// <summary>
/// Lays values out as weights of a kernel whose outputs are the numbers of a head and whose inputs are positions:
/// <c>[block of 16 numbers][step][16 numbers]</c>, where a step is one position of fp32 or two of bf16. Of bf16, 32 numbers are
/// interleaved as the processor does it, within quarters of a vector, so that their two blocks hold them in an order of their own, which
/// <see cref="Restore"/> undoes in the sums.
/// </summary>
internal static unsafe class ValueSteps
{
    private const int Width = PartialRow.VectorWidth;
    private const int Twice = 2 * Width;

    /// <summary>Lays out positions that follow each other, in fp32.</summary>
    /// <param name="values"><c>[count, d]</c></param>
    /// <param name="count">Positions.</param>
    /// <param name="headDim">d</param>
    /// <param name="target">The first step in the first block; zeros behind the head.</param>
    /// <param name="blockStride">Numbers from block to block.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Put(float* values, int count, int headDim, float* target, int blockStride)
    {
        for (var position = 0; position < count; position++, values += headDim, target += Width)
        {
            var to = target;
            for (var d = 0; d < headDim; d += Width, to += blockStride)
            {
                PartialRow.Load<float, Fp32Element>(values + d, headDim - d).Store(to);
            }
        }
    }

    /// <summary>Lays out pairs of positions that follow each other, in bf16, the first of each in the lower halves.</summary>
    /// <param name="values"><c>[pairs, 2, d]</c></param>
    /// <param name="pairs">Pairs.</param>
    /// <param name="headDim">d</param>
    /// <param name="target">The first step in the first block; zeros behind the head.</param>
    /// <param name="blockStride">Steps from block to block, times 16.</param>
    public static void Put(ushort* values, int pairs, int headDim, uint* target, int blockStride)
    {
        if (Avx512BW.IsSupported && headDim % Twice == 0)
        {
            Interleave(values, pairs, headDim, target, blockStride);
            return;
        }

        for (var pair = 0; pair < pairs; pair++, values += 2 * headDim, target += Width)
        {
            Put(values, values + headDim, headDim, target, blockStride);
        }
    }

    /// <summary>Lays out one pair of positions. <paramref name="first"/> and <paramref name="second"/>: <c>[d]</c>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Put(ushort* first, ushort* second, int headDim, uint* target, int blockStride)
    {
        var d = 0;
        for (; d <= headDim - Twice; d += Twice, target += 2 * blockStride)
        {
            Interleave(Vector256.Load(first + d), Vector256.Load(second + d), target, target + blockStride);
            Interleave(
                Vector256.Load(first + d + Width),
                Vector256.Load(second + d + Width),
                target + (Width / 2),
                target + blockStride + (Width / 2)
            );
        }

        for (; d < headDim; d += Width, target += blockStride)
        {
            for (var i = 0; i < Width; i++)
            {
                target[i] = d + i < headDim ? first[d + i] | ((uint)second[d + i] << 16) : 0;
            }
        }
    }

    /// <summary>Puts the sums of bf16 values into the order of the head. <paramref name="sums"/>: <c>[padded d] f32</c>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Restore(float* sums, int headDim)
    {
        for (; headDim >= Twice; headDim -= Twice, sums += Twice)
        {
            var low = Vector512.Load(sums);
            var high = Vector512.Load(sums + Width);
            Join(low.GetLower(), high.GetLower()).Store(sums);
            Join(low.GetUpper(), high.GetUpper()).Store(sums + Width);
        }
    }

    /// <summary>The first quarters of both, then the second.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Join(Vector256<float> low, Vector256<float> high) =>
        Vector512.Create(Vector256.Create(low.GetLower(), high.GetLower()), Vector256.Create(low.GetUpper(), high.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Interleave(ushort* values, int pairs, int headDim, uint* target, int blockStride)
    {
        for (var pair = 0; pair < pairs; pair++, values += 2 * headDim, target += Width)
        {
            var to = target;
            for (var d = 0; d < headDim; d += Twice, to += 2 * blockStride)
            {
                var (a, b) = (Vector512.Load(values + d), Vector512.Load(values + headDim + d));
                Avx512BW.UnpackLow(a, b).AsUInt32().Store(to);
                Avx512BW.UnpackHigh(a, b).AsUInt32().Store(to + blockStride);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Interleave(Vector256<ushort> a, Vector256<ushort> b, uint* low, uint* high)
    {
        if (Avx2.IsSupported)
        {
            Avx2.UnpackLow(a, b).AsUInt32().Store(low);
            Avx2.UnpackHigh(a, b).AsUInt32().Store(high);
            return;
        }

        for (var i = 0; i < Vector256<uint>.Count; i++)
        {
            // Four of eight, twice: the quarters of a vector.
            var from = (i / 4 * 8) + (i % 4);
            low[i] = a.GetElement(from) | ((uint)b.GetElement(from) << 16);
            high[i] = a.GetElement(from + 4) | ((uint)b.GetElement(from + 4) << 16);
        }
    }
}
