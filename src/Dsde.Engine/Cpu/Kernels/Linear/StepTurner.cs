using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Dsde.Engine.Cpu.Kernels.Linear;

/// <summary>
/// Turns rows of steps, of four bytes each, into steps of rows, as kernels read weights and activations. Sixteen, four or two rows at a
/// time are turned over in registers.
/// </summary>
internal static unsafe class StepTurner
{
    /// <summary>Turns some rows over.</summary>
    /// <param name="source">The first row.</param>
    /// <param name="sourceStride">Bytes from row to row.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="steps">Steps of each that are taken.</param>
    /// <param name="target"><c>[steps, targetStride]</c>, of which the first <paramref name="rows"/> numbers of each step are
    /// written.</param>
    /// <param name="targetStride">Rows from step to step.</param>
    public static void Run(void* source, nint sourceStride, int rows, int steps, uint* target, nint targetStride)
    {
        var from = (byte*)source;
        var row = 0;
        if (Avx512F.IsSupported)
        {
            for (; row <= rows - 16; row += 16)
            {
                TurnSixteen(from + (row * sourceStride), sourceStride, steps, target + row, targetStride);
            }
        }

        if (Avx2.IsSupported)
        {
            for (; row <= rows - 4; row += 4)
            {
                TurnFour(from + (row * sourceStride), sourceStride, steps, target + row, targetStride);
            }

            for (; row <= rows - 2; row += 2)
            {
                TurnTwo(from + (row * sourceStride), sourceStride, steps, target + row, targetStride);
            }
        }

        for (; row < rows; row++)
        {
            TurnOne(from + (row * sourceStride), 0, steps, target + row, targetStride);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TurnSixteen(byte* source, nint stride, int steps, uint* target, nint targetStride)
    {
        var step = 0;
        for (; step <= steps - 16; step += 16)
        {
            TurnSixteenSteps(source + (step * sizeof(uint)), stride, target + (step * targetStride), targetStride);
        }

        for (var row = 0; step < steps && row < 16; row++)
        {
            TurnOne(source + (row * stride), step, steps, target + row, targetStride);
        }
    }

    /// <summary>
    /// Sixteen rows of sixteen steps: numbers by pairs of rows, pairs by fours, then quarters of vectors. Locals, because tuples of vectors
    /// would lie on the stack.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TurnSixteenSteps(byte* source, nint stride, uint* target, nint targetStride)
    {
        var a0 = Vector512.Load((uint*)(source));
        var a1 = Vector512.Load((uint*)(source + stride));
        var a2 = Vector512.Load((uint*)(source + (2 * stride)));
        var a3 = Vector512.Load((uint*)(source + (3 * stride)));
        var a01L = Avx512F.UnpackLow(a0, a1).AsUInt64();
        var a01H = Avx512F.UnpackHigh(a0, a1).AsUInt64();
        var a23L = Avx512F.UnpackLow(a2, a3).AsUInt64();
        var a23H = Avx512F.UnpackHigh(a2, a3).AsUInt64();
        a0 = Avx512F.UnpackLow(a01L, a23L).AsUInt32();
        a1 = Avx512F.UnpackHigh(a01L, a23L).AsUInt32();
        a2 = Avx512F.UnpackLow(a01H, a23H).AsUInt32();
        a3 = Avx512F.UnpackHigh(a01H, a23H).AsUInt32();
        var b0 = Vector512.Load((uint*)(source + (4 * stride)));
        var b1 = Vector512.Load((uint*)(source + (5 * stride)));
        var b2 = Vector512.Load((uint*)(source + (6 * stride)));
        var b3 = Vector512.Load((uint*)(source + (7 * stride)));
        var b01L = Avx512F.UnpackLow(b0, b1).AsUInt64();
        var b01H = Avx512F.UnpackHigh(b0, b1).AsUInt64();
        var b23L = Avx512F.UnpackLow(b2, b3).AsUInt64();
        var b23H = Avx512F.UnpackHigh(b2, b3).AsUInt64();
        b0 = Avx512F.UnpackLow(b01L, b23L).AsUInt32();
        b1 = Avx512F.UnpackHigh(b01L, b23L).AsUInt32();
        b2 = Avx512F.UnpackLow(b01H, b23H).AsUInt32();
        b3 = Avx512F.UnpackHigh(b01H, b23H).AsUInt32();
        var c0 = Vector512.Load((uint*)(source + (8 * stride)));
        var c1 = Vector512.Load((uint*)(source + (9 * stride)));
        var c2 = Vector512.Load((uint*)(source + (10 * stride)));
        var c3 = Vector512.Load((uint*)(source + (11 * stride)));
        var c01L = Avx512F.UnpackLow(c0, c1).AsUInt64();
        var c01H = Avx512F.UnpackHigh(c0, c1).AsUInt64();
        var c23L = Avx512F.UnpackLow(c2, c3).AsUInt64();
        var c23H = Avx512F.UnpackHigh(c2, c3).AsUInt64();
        c0 = Avx512F.UnpackLow(c01L, c23L).AsUInt32();
        c1 = Avx512F.UnpackHigh(c01L, c23L).AsUInt32();
        c2 = Avx512F.UnpackLow(c01H, c23H).AsUInt32();
        c3 = Avx512F.UnpackHigh(c01H, c23H).AsUInt32();
        var d0 = Vector512.Load((uint*)(source + (12 * stride)));
        var d1 = Vector512.Load((uint*)(source + (13 * stride)));
        var d2 = Vector512.Load((uint*)(source + (14 * stride)));
        var d3 = Vector512.Load((uint*)(source + (15 * stride)));
        var d01L = Avx512F.UnpackLow(d0, d1).AsUInt64();
        var d01H = Avx512F.UnpackHigh(d0, d1).AsUInt64();
        var d23L = Avx512F.UnpackLow(d2, d3).AsUInt64();
        var d23H = Avx512F.UnpackHigh(d2, d3).AsUInt64();
        d0 = Avx512F.UnpackLow(d01L, d23L).AsUInt32();
        d1 = Avx512F.UnpackHigh(d01L, d23L).AsUInt32();
        d2 = Avx512F.UnpackLow(d01H, d23H).AsUInt32();
        d3 = Avx512F.UnpackHigh(d01H, d23H).AsUInt32();
        StoreQuarters(a0, b0, c0, d0, target, targetStride);
        StoreQuarters(a1, b1, c1, d1, target + targetStride, targetStride);
        StoreQuarters(a2, b2, c2, d2, target + (2 * targetStride), targetStride);
        StoreQuarters(a3, b3, c3, d3, target + (3 * targetStride), targetStride);
    }

    /// <summary>Keeps the first quarters of four vectors together, then the second, third and fourth, four steps apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreQuarters(Vector512<uint> a, Vector512<uint> b, Vector512<uint> c, Vector512<uint> d, uint* target, nint stride)
    {
        const byte LowerTwo = 0x44,
            UpperTwo = 0xEE,
            Even = 0x88,
            Odd = 0xDD;
        var abLow = Avx512F.Shuffle4x128(a, b, LowerTwo);
        var abHigh = Avx512F.Shuffle4x128(a, b, UpperTwo);
        var cdLow = Avx512F.Shuffle4x128(c, d, LowerTwo);
        var cdHigh = Avx512F.Shuffle4x128(c, d, UpperTwo);
        Avx512F.Shuffle4x128(abLow, cdLow, Even).Store(target);
        Avx512F.Shuffle4x128(abLow, cdLow, Odd).Store(target + (4 * stride));
        Avx512F.Shuffle4x128(abHigh, cdHigh, Even).Store(target + (8 * stride));
        Avx512F.Shuffle4x128(abHigh, cdHigh, Odd).Store(target + (12 * stride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TurnFour(byte* source, nint stride, int steps, uint* target, nint targetStride)
    {
        var step = 0;
        for (; step <= steps - 8; step += 8)
        {
            var from = source + (step * sizeof(uint));
            var (a, b) = (Vector256.Load((uint*)from), Vector256.Load((uint*)(from + stride)));
            var (c, d) = (Vector256.Load((uint*)(from + (2 * stride))), Vector256.Load((uint*)(from + (3 * stride))));
            var (abLow, abHigh) = (Avx2.UnpackLow(a, b).AsUInt64(), Avx2.UnpackHigh(a, b).AsUInt64());
            var (cdLow, cdHigh) = (Avx2.UnpackLow(c, d).AsUInt64(), Avx2.UnpackHigh(c, d).AsUInt64());
            var to = target + (step * targetStride);
            StoreHalves(Avx2.UnpackLow(abLow, cdLow).AsUInt32(), to, targetStride);
            StoreHalves(Avx2.UnpackHigh(abLow, cdLow).AsUInt32(), to + targetStride, targetStride);
            StoreHalves(Avx2.UnpackLow(abHigh, cdHigh).AsUInt32(), to + (2 * targetStride), targetStride);
            StoreHalves(Avx2.UnpackHigh(abHigh, cdHigh).AsUInt32(), to + (3 * targetStride), targetStride);
        }

        for (var row = 0; step < steps && row < 4; row++)
        {
            TurnOne(source + (row * stride), step, steps, target + row, targetStride);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreHalves(Vector256<uint> steps, uint* target, nint stride)
    {
        steps.GetLower().Store(target);
        steps.GetUpper().Store(target + (4 * stride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TurnTwo(byte* source, nint stride, int steps, uint* target, nint targetStride)
    {
        var step = 0;
        for (; step <= steps - 4; step += 4)
        {
            var (a, b) = (Vector128.Load((uint*)source + step), Vector128.Load((uint*)(source + stride) + step));
            var (low, high) = (Sse2.UnpackLow(a, b).AsUInt64(), Sse2.UnpackHigh(a, b).AsUInt64());
            var to = target + (step * targetStride);
            *(ulong*)to = low.ToScalar();
            *(ulong*)(to + targetStride) = low.GetElement(1);
            *(ulong*)(to + (2 * targetStride)) = high.ToScalar();
            *(ulong*)(to + (3 * targetStride)) = high.GetElement(1);
        }

        for (var row = 0; step < steps && row < 2; row++)
        {
            TurnOne(source + (row * stride), step, steps, target + row, targetStride);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TurnOne(byte* source, int first, int steps, uint* target, nint targetStride)
    {
        for (var step = first; step < steps; step++)
        {
            target[step * targetStride] = ((uint*)source)[step];
        }
    }
}
