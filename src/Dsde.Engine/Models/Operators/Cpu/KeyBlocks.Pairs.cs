using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dsde.Engine.Cpu.Kernels;

namespace Dsde.Engine.Models.Operators.Cpu;

/// <content>
/// Two queries of one position, as plain decoding has them where two heads share a key: keys and values are widened on their way into the
/// products, once for both, and never stored. The products and their order are those of any other number of queries.
/// </content>
internal unsafe ref partial struct KeyBlocks<T, TElement>
{
    private readonly bool IsPair => _count == 2 && ((int*)_positions)[0] == ((int*)_positions)[1];

    private readonly void AttendBlockAsPair(int block, int end)
    {
        var first = block * BlockLength;
        var nextCount = Math.Clamp(end - first - BlockLength, 0, BlockLength);
        var place = _blocks[block] * _blockStride;
        var (from, to) = (Math.Max(FirstKey(0) - first, 0), Math.Min(EndKey(0) - first, BlockLength));
        if (from >= to)
        {
            return;
        }

        Prefetch(_values + place, to);
        DotPair(_keys + place, to);
        Weigh(0, from, to);
        Weigh(1, from, to);
        if (nextCount > 0)
        {
            Prefetch(_keys + (_blocks[block + 1] * _blockStride), nextCount);
        }

        AddValuesOfPair(_values + place, from, to);
    }

    /// <summary>As <see cref="DotBlock"/>, of both queries.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void DotPair(T* keys, int to)
    {
        var (headDim, rowStride, stride) = (_headDim, _rowStride, _stride);
        var queries = _queries;
        var scores = _weights;
        for (var key = 0; key < to; key += DotTile<T, TElement>.OutputCount)
        {
            var k = keys + (key * rowStride);
            Vector512<float> a = default,
                b = default,
                c = default,
                e = default,
                a2 = default,
                b2 = default,
                c2 = default,
                e2 = default;
            for (var d = 0; d < headDim; d += VectorWidth)
            {
                var q = Vector512.Load(queries + d);
                var q2 = Vector512.Load(queries + stride + d);
                var left = headDim - d;
                var value = TElement.Load(k + d);
                a = Vector512.FusedMultiplyAdd(q, value, a);
                a2 = Vector512.FusedMultiplyAdd(q2, value, a2);
                value = TElement.Load(k + rowStride + d);
                b = Vector512.FusedMultiplyAdd(q, value, b);
                b2 = Vector512.FusedMultiplyAdd(q2, value, b2);
                value = TElement.Load(k + (2 * rowStride) + d);
                c = Vector512.FusedMultiplyAdd(q, value, c);
                c2 = Vector512.FusedMultiplyAdd(q2, value, c2);
                value = TElement.Load(k + (3 * rowStride) + d);
                e = Vector512.FusedMultiplyAdd(q, value, e);
                e2 = Vector512.FusedMultiplyAdd(q2, value, e2);
            }

            DotTile<T, TElement>.Fold(a, b, c, e).Store(scores + key);
            DotTile<T, TElement>.Fold(a2, b2, c2, e2).Store(scores + BlockLength + key);
        }
    }

    /// <summary>As <see cref="AddValues"/>, for both queries.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void AddValuesOfPair(T* values, int from, int to)
    {
        const int Wide = 4 * VectorWidth;
        var (headDim, rowStride, stride) = (_headDim, _rowStride, _stride);
        var weights = _weights;
        var weights2 = _weights + BlockLength;
        var d = 0;
        for (; d <= headDim - Wide; d += Wide)
        {
            var sum = _sums + d;
            var sum2 = sum + stride;
            Vector512<float> a = Vector512.Load(sum),
                b = Vector512.Load(sum + 16),
                c = Vector512.Load(sum + 32),
                e = Vector512.Load(sum + 48),
                a2 = Vector512.Load(sum2),
                b2 = Vector512.Load(sum2 + 16),
                c2 = Vector512.Load(sum2 + 32),
                e2 = Vector512.Load(sum2 + 48);
            var row = values + (from * rowStride) + d;
            for (var key = from; key < to; key++, row += rowStride)
            {
                var weight = Vector512.Create(weights[key]);
                var weight2 = Vector512.Create(weights2[key]);
                var value = TElement.Load(row);
                a = Vector512.FusedMultiplyAdd(value, weight, a);
                a2 = Vector512.FusedMultiplyAdd(value, weight2, a2);
                value = TElement.Load(row + 16);
                b = Vector512.FusedMultiplyAdd(value, weight, b);
                b2 = Vector512.FusedMultiplyAdd(value, weight2, b2);
                value = TElement.Load(row + 32);
                c = Vector512.FusedMultiplyAdd(value, weight, c);
                c2 = Vector512.FusedMultiplyAdd(value, weight2, c2);
                value = TElement.Load(row + 48);
                e = Vector512.FusedMultiplyAdd(value, weight, e);
                e2 = Vector512.FusedMultiplyAdd(value, weight2, e2);
            }

            a.Store(sum);
            b.Store(sum + 16);
            c.Store(sum + 32);
            e.Store(sum + 48);
            a2.Store(sum2);
            b2.Store(sum2 + 16);
            c2.Store(sum2 + 32);
            e2.Store(sum2 + 48);
        }

        for (; d < headDim; d += VectorWidth)
        {
            var sum = Vector512.Load(_sums + d);
            var sum2 = Vector512.Load(_sums + stride + d);
            var row = values + (from * rowStride) + d;
            for (var key = from; key < to; key++, row += rowStride)
            {
                var value = PartialRow.Load<T, TElement>(row, headDim - d);
                sum = Vector512.FusedMultiplyAdd(value, Vector512.Create(weights[key]), sum);
                sum2 = Vector512.FusedMultiplyAdd(value, Vector512.Create(weights2[key]), sum2);
            }

            sum.Store(_sums + d);
            sum2.Store(_sums + stride + d);
        }
    }
}
