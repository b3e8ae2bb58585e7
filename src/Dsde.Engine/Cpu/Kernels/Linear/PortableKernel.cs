using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dsde.Engine.Cpu.Kernels.Linear;

/// <summary>
/// Kernels without code made at run time, for systems that don't allow it and processors that are not known here: whatever .NET makes of
/// vectors of sixteen numbers.
/// </summary>
internal sealed unsafe class PortableKernel(WeightForm weights)
    : LinearKernel(new KernelForm(512, weights), new TileTable((4, new TilePlan(4, 4, 8)), (int.MaxValue, new TilePlan(4, 2, 4))))
{
    private const int Width = PackedWeight.BlockWidth;

    /// <inheritdoc/>
    public override void Multiply(
        TileShape tile,
        void* weights,
        nint blockStride,
        void* activations,
        nint steps,
        float* sums,
        nint sumStride,
        WeightsAhead ahead
    )
    {
        var x = (float*)activations;
        var rowStride = sumStride / sizeof(float);
        for (var block = 0; block < tile.Blocks; block++)
        {
            var w = (float*)((byte*)weights + (block * blockStride));
            var s = sums + (block * Width);
            switch (tile.Rows, Form.Weights)
            {
                case (4, WeightForm.Fp32):
                    FourRows(w, x, steps, s, rowStride);
                    break;
                case (4, _):
                    FourRowsWidened((uint*)w, x, steps, s, rowStride);
                    break;
                case (_, WeightForm.Fp32):
                    for (var row = 0; row < tile.Rows; row++)
                    {
                        OneRow(w, x + row, tile.Rows, steps, s + (row * rowStride));
                    }

                    break;
                default:
                    for (var row = 0; row < tile.Rows; row++)
                    {
                        OneRowWidened((uint*)w, x + (2 * row), 2 * tile.Rows, steps, s + (row * rowStride));
                    }

                    break;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRow(float* weights, float* x, nint stride, nint steps, float* sums)
    {
        var sum = Vector512.Load(sums);
        for (nint step = 0; step < steps; step++, weights += Width, x += stride)
        {
            sum = Vector512.FusedMultiplyAdd(Vector512.Load(weights), Vector512.Create(*x), sum);
        }

        sum.Store(sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRowWidened(uint* weights, float* x, nint stride, nint steps, float* sums)
    {
        var sum = Vector512.Load(sums);
        for (nint step = 0; step < steps; step++, weights += Width, x += stride)
        {
            var (first, second) = Widen(weights);
            sum = Vector512.FusedMultiplyAdd(first, Vector512.Create(x[0]), sum);
            sum = Vector512.FusedMultiplyAdd(second, Vector512.Create(x[1]), sum);
        }

        sum.Store(sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourRows(float* weights, float* x, nint steps, float* sums, nint stride)
    {
        Vector512<float> a = Vector512.Load(sums),
            b = Vector512.Load(sums + stride),
            c = Vector512.Load(sums + (2 * stride)),
            d = Vector512.Load(sums + (3 * stride));
        for (nint step = 0; step < steps; step++, weights += Width, x += 4)
        {
            var w = Vector512.Load(weights);
            a = Vector512.FusedMultiplyAdd(w, Vector512.Create(x[0]), a);
            b = Vector512.FusedMultiplyAdd(w, Vector512.Create(x[1]), b);
            c = Vector512.FusedMultiplyAdd(w, Vector512.Create(x[2]), c);
            d = Vector512.FusedMultiplyAdd(w, Vector512.Create(x[3]), d);
        }

        a.Store(sums);
        b.Store(sums + stride);
        c.Store(sums + (2 * stride));
        d.Store(sums + (3 * stride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourRowsWidened(uint* weights, float* x, nint steps, float* sums, nint stride)
    {
        Vector512<float> a = Vector512.Load(sums),
            b = Vector512.Load(sums + stride),
            c = Vector512.Load(sums + (2 * stride)),
            d = Vector512.Load(sums + (3 * stride));
        for (nint step = 0; step < steps; step++, weights += Width, x += 8)
        {
            var (first, second) = Widen(weights);
            a = Vector512.FusedMultiplyAdd(first, Vector512.Create(x[0]), a);
            b = Vector512.FusedMultiplyAdd(first, Vector512.Create(x[2]), b);
            c = Vector512.FusedMultiplyAdd(first, Vector512.Create(x[4]), c);
            d = Vector512.FusedMultiplyAdd(first, Vector512.Create(x[6]), d);
            a = Vector512.FusedMultiplyAdd(second, Vector512.Create(x[1]), a);
            b = Vector512.FusedMultiplyAdd(second, Vector512.Create(x[3]), b);
            c = Vector512.FusedMultiplyAdd(second, Vector512.Create(x[5]), c);
            d = Vector512.FusedMultiplyAdd(second, Vector512.Create(x[7]), d);
        }

        a.Store(sums);
        b.Store(sums + stride);
        c.Store(sums + (2 * stride));
        d.Store(sums + (3 * stride));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<float> First, Vector512<float> Second) Widen(uint* pairs)
    {
        var both = Vector512.Load(pairs);
        return ((both << 16).AsSingle(), (both & Vector512.Create(0xFFFF_0000u)).AsSingle());
    }
}
