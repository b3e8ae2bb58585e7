using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Dsde.Engine.Cpu.Kernels;
using Dsde.Engine.Kv;

namespace Dsde.Engine.Models.Operators.Cpu;

/// <summary>
/// Softmax attention of a few queries over one head's keys, in one go over them (Dao et al. 2022): blocks of keys begin at fixed positions,
/// and each query keeps its running maximum, sum and weighted values. A query's arithmetic depends on its own position only, whatever
/// queries go with it.
/// </summary>
internal unsafe ref partial struct KeyBlocks<T, TElement>
    where T : unmanaged
    where TElement : IElement<T>
{
    private const int BlockLength = BlockTable.BlockLength;
    private const int VectorWidth = PartialRow.VectorWidth;

    private readonly float* _queries; // [queries, stride], scaled
    private readonly float* _sums; // [queries, stride]
    private readonly float* _block; // [block, stride]: keys, then values
    private readonly float* _maxima; // [queries]
    private readonly float* _totals; // [queries]
    private readonly float* _weights; // [queries, block]
    private readonly float* _positions; // [queries], as integers
    private readonly int _stride;
    private readonly int _headDim;
    private readonly T* _keys; // the head's first in the cache; positions of a block follow at _rowStride
    private readonly T* _values;
    private readonly int* _blocks; // the sequence's, at _blockStride
    private readonly long _rowStride;
    private readonly long _blockStride;
    private readonly int _window;
    private readonly float _scale;
    private readonly float _cap;
    private int _count;

    public KeyBlocks(float* scratch, int stride, int queryCount, AttentionShape shape, T* keys, T* values, int* blocks, int placesPerBlock)
    {
        _stride = stride;
        _headDim = shape.HeadDim;
        _rowStride = shape.HeadDim;
        _keys = keys;
        _values = values;
        _blocks = blocks;
        _blockStride = placesPerBlock * _rowStride;
        _window = shape.SlidingWindow ?? int.MaxValue;
        _scale = (float)shape.Scale;
        _cap = (float)(shape.SoftCap ?? 0);
        _queries = scratch;
        _sums = _queries + (queryCount * stride);
        _block = _sums + (queryCount * stride);
        Spare = _block + (BlockLength * stride);
        _weights = Spare + stride;
        _maxima = _weights + (queryCount * BlockLength);
        _totals = _maxima + queryCount;
        _positions = _totals + queryCount;
        _count = 0;
    }

    /// <summary>Room for one head. <c>[stride] f32</c></summary>
    public float* Spare { get; }

    /// <summary>Floats of scratch for some queries.</summary>
    public static int ScratchLength(int queryCount, int stride) =>
        (((2 * queryCount) + BlockLength + 1) * stride) + (queryCount * (BlockLength + 3));

    /// <summary>Begins with no queries.</summary>
    public void Begin() => _count = 0;

    /// <summary>
    /// Room for the next query, to be filled before <see cref="Attend"/>, whose row is at a position. <c>[stride] f32</c>
    /// </summary>
    public float* Add(int position)
    {
        ((int*)_positions)[_count] = position;
        _maxima[_count] = float.NegativeInfinity;
        _totals[_count] = 0;
        new Span<float>(_sums + (_count * _stride), _stride).Clear();
        return _queries + (_count++ * _stride);
    }

    /// <summary>Attends with all queries.</summary>
    public readonly void Attend()
    {
        for (var i = 0; i < _count * _stride; i += VectorWidth)
        {
            (Vector512.Load(_queries + i) * _scale).Store(_queries + i);
        }

        var (first, end) = (int.MaxValue, 0);
        for (var query = 0; query < _count; query++)
        {
            first = Math.Min(first, FirstKey(query));
            end = Math.Max(end, EndKey(query));
        }

        for (var block = first / BlockLength; block * BlockLength < end; block++)
        {
            if (IsPair)
            {
                AttendBlockAsPair(block, end);
            }
            else
            {
                AttendBlock(block, end);
            }
        }
    }

    /// <summary>Writes a query's result. <paramref name="result"/>: <c>[d]</c>.</summary>
    public readonly void Finish(int query, T* result)
    {
        var scale = Vector512.Create(1 / _totals[query]);
        for (var d = 0; d < _headDim; d += VectorWidth)
        {
            PartialRow.Store<T, TElement>(result + d, Vector512.Load(_sums + (query * _stride) + d) * scale, _headDim - d);
        }
    }

    private readonly int FirstKey(int query) => (int)Math.Max(0L, ((int*)_positions)[query] + 1L - _window);

    private readonly int EndKey(int query) => ((int*)_positions)[query] + 1;

    private readonly void AttendBlock(int block, int end)
    {
        var first = block * BlockLength;
        var (keyCount, nextCount) = (Math.Min(BlockLength, end - first), Math.Clamp(end - first - BlockLength, 0, BlockLength));
        var place = _blocks[block] * _blockStride;
        Prefetch(_values + place, keyCount);
        Widen(_keys + place, keyCount);
        for (var query = 0; query < _count; query++)
        {
            var (from, to) = (Math.Max(FirstKey(query) - first, 0), Math.Min(EndKey(query) - first, BlockLength));
            if (from < to)
            {
                DotBlock(_queries + (query * _stride), to, _weights + (query * BlockLength));
                Weigh(query, from, to);
            }
        }

        if (nextCount > 0)
        {
            Prefetch(_keys + (_blocks[block + 1] * _blockStride), nextCount);
        }

        Widen(_values + place, keyCount);
        for (var query = 0; query < _count; query++)
        {
            AddValues(query, Math.Max(FirstKey(query) - first, 0), Math.Min(EndKey(query) - first, BlockLength));
        }
    }

    /// <summary>Asks for some keys or values of a block: the processor does not foresee which block is next.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Prefetch(T* source, int count)
    {
        const int CacheLine = 64;
        if (!Sse.IsSupported)
        {
            return;
        }

        var (bytes, step) = (_headDim * sizeof(T), _rowStride * sizeof(T));
        var row = (byte*)source;
        for (var key = 0; key < count; key++, row += step)
        {
            for (var i = 0; i < bytes; i += CacheLine)
            {
                Sse.Prefetch0(row + i);
            }
        }
    }

    /// <summary>Widens some keys or values into the block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Widen(T* source, int count)
    {
        var (headDim, stride, rowStride) = (_headDim, _stride, _rowStride);
        var row = _block;
        for (var key = 0; key < count; key++, source += rowStride, row += stride)
        {
            var d = 0;
            for (; d <= headDim - VectorWidth; d += VectorWidth)
            {
                TElement.Load(source + d).Store(row + d);
            }

            if (d < headDim)
            {
                PartialRow.Load<T, TElement>(source + d, headDim - d).Store(row + d);
            }
        }
    }

    /// <summary>Turns the scores of the block's keys [from, to) into weights, under a new maximum; all other weights are 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Weigh(int query, int from, int to)
    {
        var weights = _weights + (query * BlockLength);
        var dots = (to + VectorWidth - 1) / VectorWidth * VectorWidth; // whole vectors
        var lanes = Vector512<float>.Indices;
        var maximum = Vector512.Create(float.NegativeInfinity);
        for (var i = 0; i < dots; i += VectorWidth)
        {
            var scores = Vector512.Load(weights + i);
            if (_cap > 0)
            {
                scores = SimdMath.Tanh(scores / _cap) * _cap;
            }

            var place = lanes + Vector512.Create((float)i);
            var seen =
                Vector512.GreaterThanOrEqual(place, Vector512.Create((float)from)) & Vector512.LessThan(place, Vector512.Create((float)to));
            scores = Vector512.ConditionalSelect(seen, scores, Vector512.Create(float.NegativeInfinity));
            scores.Store(weights + i);
            maximum = Vector512.Max(maximum, scores);
        }

        Rescale(query, LargestOf(maximum), weights, dots);
    }

    /// <summary>
    /// Scores of the first keys of the block; what lies behind <paramref name="to"/> means nothing.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void DotBlock(float* query, int to, float* scores)
    {
        var stride = _stride;
        var block = _block;
        for (var key = 0; key < to; key += DotTile<T, TElement>.OutputCount)
        {
            var k = block + (key * stride);
            Vector512<float> a = default,
                b = default,
                c = default,
                e = default;
            for (var d = 0; d < stride; d += VectorWidth)
            {
                var q = Vector512.Load(query + d);
                a = Vector512.FusedMultiplyAdd(q, Vector512.Load(k + d), a);
                b = Vector512.FusedMultiplyAdd(q, Vector512.Load(k + stride + d), b);
                c = Vector512.FusedMultiplyAdd(q, Vector512.Load(k + (2 * stride) + d), c);
                e = Vector512.FusedMultiplyAdd(q, Vector512.Load(k + (3 * stride) + d), e);
            }

            DotTile<T, TElement>.Fold(a, b, c, e).Store(scores + key);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Rescale(int query, float blockMaximum, float* weights, int length)
    {
        var maximum = Math.Max(_maxima[query], blockMaximum);
        var total = Vector512<float>.Zero;
        for (var i = 0; i < length; i += VectorWidth)
        {
            var exponentials = SimdMath.Exp(Vector512.Load(weights + i) - Vector512.Create(maximum));
            exponentials.Store(weights + i);
            total += exponentials;
        }

        var correction = SimdMath.Exp(Vector512.Create(_maxima[query] - maximum));
        _maxima[query] = maximum;
        _totals[query] = (_totals[query] * correction.ToScalar()) + Vector512.Sum(total);
        var sums = _sums + (query * _stride);
        for (var d = 0; d < _stride; d += VectorWidth)
        {
            (Vector512.Load(sums + d) * correction).Store(sums + d);
        }
    }

    /// <summary>
    /// Adds the weighted values of the block's keys [from, to), four vectors at a time, so that additions need not wait for each other.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void AddValues(int query, int from, int to)
    {
        const int Wide = 4 * VectorWidth;
        var stride = _stride;
        var weights = _weights + (query * BlockLength);
        var sums = _sums + (query * stride);
        var values = _block + (from * stride);
        var d = 0;
        for (; d <= stride - Wide; d += Wide)
        {
            var sum = sums + d;
            Vector512<float> a = Vector512.Load(sum),
                b = Vector512.Load(sum + 16),
                c = Vector512.Load(sum + 32),
                e = Vector512.Load(sum + 48);
            var value = values + d;
            for (var key = from; key < to; key++, value += stride)
            {
                var weight = Vector512.Create(weights[key]);
                a = Vector512.FusedMultiplyAdd(Vector512.Load(value), weight, a);
                b = Vector512.FusedMultiplyAdd(Vector512.Load(value + 16), weight, b);
                c = Vector512.FusedMultiplyAdd(Vector512.Load(value + 32), weight, c);
                e = Vector512.FusedMultiplyAdd(Vector512.Load(value + 48), weight, e);
            }

            a.Store(sum);
            b.Store(sum + 16);
            c.Store(sum + 32);
            e.Store(sum + 48);
        }

        for (; d < stride; d += VectorWidth)
        {
            var sum = Vector512.Load(sums + d);
            var value = values + d;
            for (var key = from; key < to; key++, value += stride)
            {
                sum = Vector512.FusedMultiplyAdd(Vector512.Load(value), Vector512.Create(weights[key]), sum);
            }

            sum.Store(sums + d);
        }
    }

    private static float LargestOf(Vector512<float> values)
    {
        var half = Vector256.Max(values.GetLower(), values.GetUpper());
        var quarter = Vector128.Max(half.GetLower(), half.GetUpper());
        return Math.Max(Math.Max(quarter[0], quarter[1]), Math.Max(quarter[2], quarter[3]));
    }
}
