using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Dsde.Engine.Cpu.Kernels;

/// <summary>
/// Products of some rows of activations with four rows of weights, which are read once. The sums stay in registers, which is why each
/// number of rows is written out. A product's additions come in the same order in all of them: what a row gives does not depend on the rows
/// beside it.
/// </summary>
internal static unsafe class DotTile<T, TElement>
    where T : unmanaged
    where TElement : IElement<T>
{
    /// <summary>Weights and activations of a row that one step takes in; widths are multiples of it.</summary>
    public const int StepWidth = 32;

    /// <summary>Rows of weights in a tile.</summary>
    public const int OutputCount = 4;

    private const int HalfStep = StepWidth / 2;

    /// <summary>Any number of rows.</summary>
    /// <param name="weights">The rows of weights.</param>
    /// <param name="x">Widened activations; two more rows behind them are read in passing. <c>[rows, stride] f32</c></param>
    /// <param name="xStride">From row to row.</param>
    /// <param name="rowCount">Rows.</param>
    /// <param name="sums">Four sums per row; two more rows behind them may be written to. <c>[rows, stride] f32</c></param>
    /// <param name="sumStride">From row to row.</param>
    public static void Rows(TileWeights<T> weights, float* x, nint xStride, int rowCount, float* sums, nint sumStride)
    {
        while (rowCount > 0)
        {
            int taken;
            switch (rowCount)
            {
                case 1:
                    taken = 1;
                    Rows1(weights, x, xStride, sums, sumStride);
                    break;
                case 2:
                    taken = 2;
                    Rows2(weights, x, xStride, sums, sumStride);
                    break;
                case 3 or 4 or 8: // a fourth row costs less than a kernel for three
                    taken = 4;
                    Rows4(weights, x, xStride, sums, sumStride);
                    break;
                case 6:
                    taken = 6;
                    Rows6(weights, x, xStride, sums, sumStride);
                    break;
                default:
                    taken = 5;
                    Rows5(weights, x, xStride, sums, sumStride);
                    break;
            }

            rowCount -= taken;
            x += taken * xStride;
            sums += taken * sumStride;
            weights.Ahead = 0; // asked for by the first rows
        }
    }

    /// <summary>One row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows1(in TileWeights<T> weights, float* x, nint xStride, float* sums, nint sumStride)
    {
        T* w0 = weights.Row0,
            w1 = weights.Row1,
            w2 = weights.Row2,
            w3 = weights.Row3;
        var x0 = x;
        Vector512<float> s00 = default,
            s01 = default,
            s02 = default,
            s03 = default;
        for (nint i = 0, ahead = weights.Ahead, width = weights.Width; i < width; i += StepWidth)
        {
            Prefetch(w0 + i + ahead, w1 + i + ahead, w2 + i + ahead, w3 + i + ahead);
            Vector512<float> a0 = Vector512.Load(x0 + i);
            var v0 = TElement.LoadFirst(w0 + i);
            s00 = Vector512.FusedMultiplyAdd(v0, a0, s00);
            var v1 = TElement.LoadFirst(w1 + i);
            s01 = Vector512.FusedMultiplyAdd(v1, a0, s01);
            var v2 = TElement.LoadFirst(w2 + i);
            s02 = Vector512.FusedMultiplyAdd(v2, a0, s02);
            var v3 = TElement.LoadFirst(w3 + i);
            s03 = Vector512.FusedMultiplyAdd(v3, a0, s03);

            Vector512<float> b0 = Vector512.Load(x0 + i + HalfStep);
            var u0 = TElement.LoadSecond(w0 + i);
            s00 = Vector512.FusedMultiplyAdd(u0, b0, s00);
            var u1 = TElement.LoadSecond(w1 + i);
            s01 = Vector512.FusedMultiplyAdd(u1, b0, s01);
            var u2 = TElement.LoadSecond(w2 + i);
            s02 = Vector512.FusedMultiplyAdd(u2, b0, s02);
            var u3 = TElement.LoadSecond(w3 + i);
            s03 = Vector512.FusedMultiplyAdd(u3, b0, s03);
        }

        Fold(s00, s01, s02, s03).Store(sums);
    }

    /// <summary>Two rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows2(in TileWeights<T> weights, float* x, nint xStride, float* sums, nint sumStride)
    {
        T* w0 = weights.Row0,
            w1 = weights.Row1,
            w2 = weights.Row2,
            w3 = weights.Row3;
        float* x0 = x,
            x1 = x + xStride;
        Vector512<float> s00 = default,
            s01 = default,
            s02 = default,
            s03 = default;
        Vector512<float> s10 = default,
            s11 = default,
            s12 = default,
            s13 = default;
        for (nint i = 0, ahead = weights.Ahead, width = weights.Width; i < width; i += StepWidth)
        {
            Prefetch(w0 + i + ahead, w1 + i + ahead, w2 + i + ahead, w3 + i + ahead);
            Vector512<float> a0 = Vector512.Load(x0 + i),
                a1 = Vector512.Load(x1 + i);
            var v0 = TElement.LoadFirst(w0 + i);
            s00 = Vector512.FusedMultiplyAdd(v0, a0, s00);
            s10 = Vector512.FusedMultiplyAdd(v0, a1, s10);
            var v1 = TElement.LoadFirst(w1 + i);
            s01 = Vector512.FusedMultiplyAdd(v1, a0, s01);
            s11 = Vector512.FusedMultiplyAdd(v1, a1, s11);
            var v2 = TElement.LoadFirst(w2 + i);
            s02 = Vector512.FusedMultiplyAdd(v2, a0, s02);
            s12 = Vector512.FusedMultiplyAdd(v2, a1, s12);
            var v3 = TElement.LoadFirst(w3 + i);
            s03 = Vector512.FusedMultiplyAdd(v3, a0, s03);
            s13 = Vector512.FusedMultiplyAdd(v3, a1, s13);

            Vector512<float> b0 = Vector512.Load(x0 + i + HalfStep),
                b1 = Vector512.Load(x1 + i + HalfStep);
            var u0 = TElement.LoadSecond(w0 + i);
            s00 = Vector512.FusedMultiplyAdd(u0, b0, s00);
            s10 = Vector512.FusedMultiplyAdd(u0, b1, s10);
            var u1 = TElement.LoadSecond(w1 + i);
            s01 = Vector512.FusedMultiplyAdd(u1, b0, s01);
            s11 = Vector512.FusedMultiplyAdd(u1, b1, s11);
            var u2 = TElement.LoadSecond(w2 + i);
            s02 = Vector512.FusedMultiplyAdd(u2, b0, s02);
            s12 = Vector512.FusedMultiplyAdd(u2, b1, s12);
            var u3 = TElement.LoadSecond(w3 + i);
            s03 = Vector512.FusedMultiplyAdd(u3, b0, s03);
            s13 = Vector512.FusedMultiplyAdd(u3, b1, s13);
        }

        Fold(s00, s01, s02, s03).Store(sums);
        Fold(s10, s11, s12, s13).Store(sums + sumStride);
    }

    /// <summary>Four rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows4(in TileWeights<T> weights, float* x, nint xStride, float* sums, nint sumStride)
    {
        T* w0 = weights.Row0,
            w1 = weights.Row1,
            w2 = weights.Row2,
            w3 = weights.Row3;
        float* x0 = x,
            x1 = x + xStride,
            x2 = x + (2 * xStride),
            x3 = x + (3 * xStride);
        Vector512<float> s00 = default,
            s01 = default,
            s02 = default,
            s03 = default;
        Vector512<float> s10 = default,
            s11 = default,
            s12 = default,
            s13 = default;
        Vector512<float> s20 = default,
            s21 = default,
            s22 = default,
            s23 = default;
        Vector512<float> s30 = default,
            s31 = default,
            s32 = default,
            s33 = default;
        for (nint i = 0, ahead = weights.Ahead, width = weights.Width; i < width; i += StepWidth)
        {
            Prefetch(w0 + i + ahead, w1 + i + ahead, w2 + i + ahead, w3 + i + ahead);
            Vector512<float> a0 = Vector512.Load(x0 + i),
                a1 = Vector512.Load(x1 + i),
                a2 = Vector512.Load(x2 + i),
                a3 = Vector512.Load(x3 + i);
            var v0 = TElement.LoadFirst(w0 + i);
            s00 = Vector512.FusedMultiplyAdd(v0, a0, s00);
            s10 = Vector512.FusedMultiplyAdd(v0, a1, s10);
            s20 = Vector512.FusedMultiplyAdd(v0, a2, s20);
            s30 = Vector512.FusedMultiplyAdd(v0, a3, s30);
            var v1 = TElement.LoadFirst(w1 + i);
            s01 = Vector512.FusedMultiplyAdd(v1, a0, s01);
            s11 = Vector512.FusedMultiplyAdd(v1, a1, s11);
            s21 = Vector512.FusedMultiplyAdd(v1, a2, s21);
            s31 = Vector512.FusedMultiplyAdd(v1, a3, s31);
            var v2 = TElement.LoadFirst(w2 + i);
            s02 = Vector512.FusedMultiplyAdd(v2, a0, s02);
            s12 = Vector512.FusedMultiplyAdd(v2, a1, s12);
            s22 = Vector512.FusedMultiplyAdd(v2, a2, s22);
            s32 = Vector512.FusedMultiplyAdd(v2, a3, s32);
            var v3 = TElement.LoadFirst(w3 + i);
            s03 = Vector512.FusedMultiplyAdd(v3, a0, s03);
            s13 = Vector512.FusedMultiplyAdd(v3, a1, s13);
            s23 = Vector512.FusedMultiplyAdd(v3, a2, s23);
            s33 = Vector512.FusedMultiplyAdd(v3, a3, s33);

            Vector512<float> b0 = Vector512.Load(x0 + i + HalfStep),
                b1 = Vector512.Load(x1 + i + HalfStep),
                b2 = Vector512.Load(x2 + i + HalfStep),
                b3 = Vector512.Load(x3 + i + HalfStep);
            var u0 = TElement.LoadSecond(w0 + i);
            s00 = Vector512.FusedMultiplyAdd(u0, b0, s00);
            s10 = Vector512.FusedMultiplyAdd(u0, b1, s10);
            s20 = Vector512.FusedMultiplyAdd(u0, b2, s20);
            s30 = Vector512.FusedMultiplyAdd(u0, b3, s30);
            var u1 = TElement.LoadSecond(w1 + i);
            s01 = Vector512.FusedMultiplyAdd(u1, b0, s01);
            s11 = Vector512.FusedMultiplyAdd(u1, b1, s11);
            s21 = Vector512.FusedMultiplyAdd(u1, b2, s21);
            s31 = Vector512.FusedMultiplyAdd(u1, b3, s31);
            var u2 = TElement.LoadSecond(w2 + i);
            s02 = Vector512.FusedMultiplyAdd(u2, b0, s02);
            s12 = Vector512.FusedMultiplyAdd(u2, b1, s12);
            s22 = Vector512.FusedMultiplyAdd(u2, b2, s22);
            s32 = Vector512.FusedMultiplyAdd(u2, b3, s32);
            var u3 = TElement.LoadSecond(w3 + i);
            s03 = Vector512.FusedMultiplyAdd(u3, b0, s03);
            s13 = Vector512.FusedMultiplyAdd(u3, b1, s13);
            s23 = Vector512.FusedMultiplyAdd(u3, b2, s23);
            s33 = Vector512.FusedMultiplyAdd(u3, b3, s33);
        }

        Fold(s00, s01, s02, s03).Store(sums);
        Fold(s10, s11, s12, s13).Store(sums + sumStride);
        Fold(s20, s21, s22, s23).Store(sums + (2 * sumStride));
        Fold(s30, s31, s32, s33).Store(sums + (3 * sumStride));
    }

    /// <summary>Five rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows5(in TileWeights<T> weights, float* x, nint xStride, float* sums, nint sumStride)
    {
        T* w0 = weights.Row0,
            w1 = weights.Row1,
            w2 = weights.Row2,
            w3 = weights.Row3;
        float* x0 = x,
            x1 = x + xStride,
            x2 = x + (2 * xStride),
            x3 = x + (3 * xStride),
            x4 = x + (4 * xStride);
        Vector512<float> s00 = default,
            s01 = default,
            s02 = default,
            s03 = default;
        Vector512<float> s10 = default,
            s11 = default,
            s12 = default,
            s13 = default;
        Vector512<float> s20 = default,
            s21 = default,
            s22 = default,
            s23 = default;
        Vector512<float> s30 = default,
            s31 = default,
            s32 = default,
            s33 = default;
        Vector512<float> s40 = default,
            s41 = default,
            s42 = default,
            s43 = default;
        for (nint i = 0, ahead = weights.Ahead, width = weights.Width; i < width; i += StepWidth)
        {
            Prefetch(w0 + i + ahead, w1 + i + ahead, w2 + i + ahead, w3 + i + ahead);
            Vector512<float> a0 = Vector512.Load(x0 + i),
                a1 = Vector512.Load(x1 + i),
                a2 = Vector512.Load(x2 + i),
                a3 = Vector512.Load(x3 + i),
                a4 = Vector512.Load(x4 + i);
            var v0 = TElement.LoadFirst(w0 + i);
            s00 = Vector512.FusedMultiplyAdd(v0, a0, s00);
            s10 = Vector512.FusedMultiplyAdd(v0, a1, s10);
            s20 = Vector512.FusedMultiplyAdd(v0, a2, s20);
            s30 = Vector512.FusedMultiplyAdd(v0, a3, s30);
            s40 = Vector512.FusedMultiplyAdd(v0, a4, s40);
            var v1 = TElement.LoadFirst(w1 + i);
            s01 = Vector512.FusedMultiplyAdd(v1, a0, s01);
            s11 = Vector512.FusedMultiplyAdd(v1, a1, s11);
            s21 = Vector512.FusedMultiplyAdd(v1, a2, s21);
            s31 = Vector512.FusedMultiplyAdd(v1, a3, s31);
            s41 = Vector512.FusedMultiplyAdd(v1, a4, s41);
            var v2 = TElement.LoadFirst(w2 + i);
            s02 = Vector512.FusedMultiplyAdd(v2, a0, s02);
            s12 = Vector512.FusedMultiplyAdd(v2, a1, s12);
            s22 = Vector512.FusedMultiplyAdd(v2, a2, s22);
            s32 = Vector512.FusedMultiplyAdd(v2, a3, s32);
            s42 = Vector512.FusedMultiplyAdd(v2, a4, s42);
            var v3 = TElement.LoadFirst(w3 + i);
            s03 = Vector512.FusedMultiplyAdd(v3, a0, s03);
            s13 = Vector512.FusedMultiplyAdd(v3, a1, s13);
            s23 = Vector512.FusedMultiplyAdd(v3, a2, s23);
            s33 = Vector512.FusedMultiplyAdd(v3, a3, s33);
            s43 = Vector512.FusedMultiplyAdd(v3, a4, s43);

            Vector512<float> b0 = Vector512.Load(x0 + i + HalfStep),
                b1 = Vector512.Load(x1 + i + HalfStep),
                b2 = Vector512.Load(x2 + i + HalfStep),
                b3 = Vector512.Load(x3 + i + HalfStep),
                b4 = Vector512.Load(x4 + i + HalfStep);
            var u0 = TElement.LoadSecond(w0 + i);
            s00 = Vector512.FusedMultiplyAdd(u0, b0, s00);
            s10 = Vector512.FusedMultiplyAdd(u0, b1, s10);
            s20 = Vector512.FusedMultiplyAdd(u0, b2, s20);
            s30 = Vector512.FusedMultiplyAdd(u0, b3, s30);
            s40 = Vector512.FusedMultiplyAdd(u0, b4, s40);
            var u1 = TElement.LoadSecond(w1 + i);
            s01 = Vector512.FusedMultiplyAdd(u1, b0, s01);
            s11 = Vector512.FusedMultiplyAdd(u1, b1, s11);
            s21 = Vector512.FusedMultiplyAdd(u1, b2, s21);
            s31 = Vector512.FusedMultiplyAdd(u1, b3, s31);
            s41 = Vector512.FusedMultiplyAdd(u1, b4, s41);
            var u2 = TElement.LoadSecond(w2 + i);
            s02 = Vector512.FusedMultiplyAdd(u2, b0, s02);
            s12 = Vector512.FusedMultiplyAdd(u2, b1, s12);
            s22 = Vector512.FusedMultiplyAdd(u2, b2, s22);
            s32 = Vector512.FusedMultiplyAdd(u2, b3, s32);
            s42 = Vector512.FusedMultiplyAdd(u2, b4, s42);
            var u3 = TElement.LoadSecond(w3 + i);
            s03 = Vector512.FusedMultiplyAdd(u3, b0, s03);
            s13 = Vector512.FusedMultiplyAdd(u3, b1, s13);
            s23 = Vector512.FusedMultiplyAdd(u3, b2, s23);
            s33 = Vector512.FusedMultiplyAdd(u3, b3, s33);
            s43 = Vector512.FusedMultiplyAdd(u3, b4, s43);
        }

        Fold(s00, s01, s02, s03).Store(sums);
        Fold(s10, s11, s12, s13).Store(sums + sumStride);
        Fold(s20, s21, s22, s23).Store(sums + (2 * sumStride));
        Fold(s30, s31, s32, s33).Store(sums + (3 * sumStride));
        Fold(s40, s41, s42, s43).Store(sums + (4 * sumStride));
    }

    /// <summary>Six rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows6(in TileWeights<T> weights, float* x, nint xStride, float* sums, nint sumStride)
    {
        T* w0 = weights.Row0,
            w1 = weights.Row1,
            w2 = weights.Row2,
            w3 = weights.Row3;
        float* x0 = x,
            x1 = x + xStride,
            x2 = x + (2 * xStride),
            x3 = x + (3 * xStride),
            x4 = x + (4 * xStride),
            x5 = x + (5 * xStride);
        Vector512<float> s00 = default,
            s01 = default,
            s02 = default,
            s03 = default;
        Vector512<float> s10 = default,
            s11 = default,
            s12 = default,
            s13 = default;
        Vector512<float> s20 = default,
            s21 = default,
            s22 = default,
            s23 = default;
        Vector512<float> s30 = default,
            s31 = default,
            s32 = default,
            s33 = default;
        Vector512<float> s40 = default,
            s41 = default,
            s42 = default,
            s43 = default;
        Vector512<float> s50 = default,
            s51 = default,
            s52 = default,
            s53 = default;
        for (nint i = 0, ahead = weights.Ahead, width = weights.Width; i < width; i += StepWidth)
        {
            Prefetch(w0 + i + ahead, w1 + i + ahead, w2 + i + ahead, w3 + i + ahead);
            Vector512<float> a0 = Vector512.Load(x0 + i),
                a1 = Vector512.Load(x1 + i),
                a2 = Vector512.Load(x2 + i),
                a3 = Vector512.Load(x3 + i),
                a4 = Vector512.Load(x4 + i),
                a5 = Vector512.Load(x5 + i);
            var v0 = TElement.LoadFirst(w0 + i);
            s00 = Vector512.FusedMultiplyAdd(v0, a0, s00);
            s10 = Vector512.FusedMultiplyAdd(v0, a1, s10);
            s20 = Vector512.FusedMultiplyAdd(v0, a2, s20);
            s30 = Vector512.FusedMultiplyAdd(v0, a3, s30);
            s40 = Vector512.FusedMultiplyAdd(v0, a4, s40);
            s50 = Vector512.FusedMultiplyAdd(v0, a5, s50);
            var v1 = TElement.LoadFirst(w1 + i);
            s01 = Vector512.FusedMultiplyAdd(v1, a0, s01);
            s11 = Vector512.FusedMultiplyAdd(v1, a1, s11);
            s21 = Vector512.FusedMultiplyAdd(v1, a2, s21);
            s31 = Vector512.FusedMultiplyAdd(v1, a3, s31);
            s41 = Vector512.FusedMultiplyAdd(v1, a4, s41);
            s51 = Vector512.FusedMultiplyAdd(v1, a5, s51);
            var v2 = TElement.LoadFirst(w2 + i);
            s02 = Vector512.FusedMultiplyAdd(v2, a0, s02);
            s12 = Vector512.FusedMultiplyAdd(v2, a1, s12);
            s22 = Vector512.FusedMultiplyAdd(v2, a2, s22);
            s32 = Vector512.FusedMultiplyAdd(v2, a3, s32);
            s42 = Vector512.FusedMultiplyAdd(v2, a4, s42);
            s52 = Vector512.FusedMultiplyAdd(v2, a5, s52);
            var v3 = TElement.LoadFirst(w3 + i);
            s03 = Vector512.FusedMultiplyAdd(v3, a0, s03);
            s13 = Vector512.FusedMultiplyAdd(v3, a1, s13);
            s23 = Vector512.FusedMultiplyAdd(v3, a2, s23);
            s33 = Vector512.FusedMultiplyAdd(v3, a3, s33);
            s43 = Vector512.FusedMultiplyAdd(v3, a4, s43);
            s53 = Vector512.FusedMultiplyAdd(v3, a5, s53);

            Vector512<float> b0 = Vector512.Load(x0 + i + HalfStep),
                b1 = Vector512.Load(x1 + i + HalfStep),
                b2 = Vector512.Load(x2 + i + HalfStep),
                b3 = Vector512.Load(x3 + i + HalfStep),
                b4 = Vector512.Load(x4 + i + HalfStep),
                b5 = Vector512.Load(x5 + i + HalfStep);
            var u0 = TElement.LoadSecond(w0 + i);
            s00 = Vector512.FusedMultiplyAdd(u0, b0, s00);
            s10 = Vector512.FusedMultiplyAdd(u0, b1, s10);
            s20 = Vector512.FusedMultiplyAdd(u0, b2, s20);
            s30 = Vector512.FusedMultiplyAdd(u0, b3, s30);
            s40 = Vector512.FusedMultiplyAdd(u0, b4, s40);
            s50 = Vector512.FusedMultiplyAdd(u0, b5, s50);
            var u1 = TElement.LoadSecond(w1 + i);
            s01 = Vector512.FusedMultiplyAdd(u1, b0, s01);
            s11 = Vector512.FusedMultiplyAdd(u1, b1, s11);
            s21 = Vector512.FusedMultiplyAdd(u1, b2, s21);
            s31 = Vector512.FusedMultiplyAdd(u1, b3, s31);
            s41 = Vector512.FusedMultiplyAdd(u1, b4, s41);
            s51 = Vector512.FusedMultiplyAdd(u1, b5, s51);
            var u2 = TElement.LoadSecond(w2 + i);
            s02 = Vector512.FusedMultiplyAdd(u2, b0, s02);
            s12 = Vector512.FusedMultiplyAdd(u2, b1, s12);
            s22 = Vector512.FusedMultiplyAdd(u2, b2, s22);
            s32 = Vector512.FusedMultiplyAdd(u2, b3, s32);
            s42 = Vector512.FusedMultiplyAdd(u2, b4, s42);
            s52 = Vector512.FusedMultiplyAdd(u2, b5, s52);
            var u3 = TElement.LoadSecond(w3 + i);
            s03 = Vector512.FusedMultiplyAdd(u3, b0, s03);
            s13 = Vector512.FusedMultiplyAdd(u3, b1, s13);
            s23 = Vector512.FusedMultiplyAdd(u3, b2, s23);
            s33 = Vector512.FusedMultiplyAdd(u3, b3, s33);
            s43 = Vector512.FusedMultiplyAdd(u3, b4, s43);
            s53 = Vector512.FusedMultiplyAdd(u3, b5, s53);
        }

        Fold(s00, s01, s02, s03).Store(sums);
        Fold(s10, s11, s12, s13).Store(sums + sumStride);
        Fold(s20, s21, s22, s23).Store(sums + (2 * sumStride));
        Fold(s30, s31, s32, s33).Store(sums + (3 * sumStride));
        Fold(s40, s41, s42, s43).Store(sums + (4 * sumStride));
        Fold(s50, s51, s52, s53).Store(sums + (5 * sumStride));
    }

    /// <summary>Asks for what the next tile needs, so that memory works while this one computes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(T* a, T* b, T* c, T* d)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch1(a);
            Sse.Prefetch1(b);
            Sse.Prefetch1(c);
            Sse.Prefetch1(d);
        }
    }

    /// <summary>Sums of four vectors, side by side.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Fold(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d)
    {
        if (!Avx512F.IsSupported)
        {
            return Vector128.Create(Vector512.Sum(a), Vector512.Sum(b), Vector512.Sum(c), Vector512.Sum(d));
        }

        var ab = Avx512F.UnpackLow(a, b) + Avx512F.UnpackHigh(a, b);
        var cd = Avx512F.UnpackLow(c, d) + Avx512F.UnpackHigh(c, d);
        var all = Avx512F.UnpackLow(ab.AsDouble(), cd.AsDouble()).AsSingle() + Avx512F.UnpackHigh(ab.AsDouble(), cd.AsDouble()).AsSingle();
        var half = all.GetLower() + all.GetUpper();
        return half.GetLower() + half.GetUpper();
    }
}
