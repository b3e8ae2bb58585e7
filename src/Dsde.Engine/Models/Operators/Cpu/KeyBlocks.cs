using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Dsde.Engine.Cpu.Kernels;
using Dsde.Engine.Cpu.Kernels.Linear;
using Dsde.Engine.Kv;

namespace Dsde.Engine.Models.Operators.Cpu;

/// <summary>
/// Softmax attention of a few queries over one head's keys, in one go over them (Dao et al. 2022): stretches of keys begin at fixed
/// positions, and each query keeps its running maximum, sum and weighted values. Scores are what a linear layer makes of queries whose
/// outputs are positions, and weighted values what one makes of weights whose inputs are positions, so that the kernels of linear layers
/// multiply both. A query's arithmetic depends on its own position only, whatever queries go with it: those that see only a part of a
/// stretch are multiplied by themselves.
/// </summary>
internal unsafe ref struct KeyBlocks<T, TElement>
    where T : unmanaged
    where TElement : IElement<T>
{
    /// <summary>Positions of a stretch.</summary>
    private const int Length = 2 * BlockLength;

    private const int BlockLength = BlockTable.BlockLength;
    private const int VectorWidth = PartialRow.VectorWidth;
    private const int CacheLine = 64;

    /// <summary>Most queries of a tile: then four blocks of sums fit into the registers beside them.</summary>
    private const int TileRows = 6;

    private const int MaxTileBlocks = 4;

    private readonly LinearKernel _kernel;
    private readonly int _tileRows;
    private readonly int _steps; // of a head
    private readonly float* _queries; // [queries, stride]
    private readonly float* _sums; // [queries, stride]
    private readonly float* _totals; // [queries, 16]
    private readonly float* _scores; // [queries, stretch]; then weights
    private readonly float* _maxima; // [queries]
    private readonly int* _positions; // [queries]
    private readonly uint* _packedKeys; // [blocks of 16 positions, steps, 16]
    private readonly uint* _packedValues; // [blocks of 16 numbers, steps of a stretch, 16]
    private readonly byte* _packedQueries; // [queries' tiles][step][row]
    private readonly byte* _packedWeights; // a tile of them, and room to make it
    private readonly T* _zeros; // [stride]
    private readonly int _stride;
    private readonly int _headDim;
    private readonly T* _keys; // the head's first in the cache; positions of a block follow at d
    private readonly T* _values;
    private readonly int* _blocks; // the sequence's, at _blockStride
    private readonly long _blockStride;
    private readonly int _window;
    private readonly float _scale;
    private readonly float _cap;
    private int _count;

    /// <param name="kernel">What multiplies.</param>
    /// <param name="scratch"><see cref="ScratchLength"/> floats.</param>
    /// <param name="queryCount">Most queries.</param>
    /// <param name="shape">Of the layer.</param>
    /// <param name="keys">The head's first key in the cache.</param>
    /// <param name="values">The head's first value.</param>
    /// <param name="blocks">The sequence's blocks.</param>
    /// <param name="placesPerBlock">Places of the cache from block to block.</param>
    public KeyBlocks(
        LinearKernel kernel,
        float* scratch,
        int queryCount,
        AttentionShape shape,
        T* keys,
        T* values,
        int* blocks,
        int placesPerBlock
    )
    {
        _kernel = kernel;
        _tileRows = Math.Min(TileRows, kernel.Tiles.MaxTileRows);
        _headDim = shape.HeadDim;
        _stride = PaddedWidth(shape.HeadDim);
        _steps = _stride * sizeof(T) / sizeof(uint);
        _keys = keys;
        _values = values;
        _blocks = blocks;
        _blockStride = (long)placesPerBlock * shape.HeadDim;
        _window = shape.SlidingWindow ?? int.MaxValue;
        _scale = (float)shape.Scale;
        _cap = (float)(shape.SoftCap ?? 0);
        _packedKeys = (uint*)scratch;
        _packedValues = _packedKeys + (Length * _stride);
        _packedQueries = (byte*)(_packedValues + (Length * _stride));
        _packedWeights = _packedQueries + ((queryCount + TileRows) * _stride * sizeof(float));
        _queries = (float*)(_packedWeights + (2 * TileRows * Length * sizeof(float)));
        _sums = _queries + (queryCount * _stride);
        _scores = _sums + (queryCount * _stride);
        _totals = _scores + (queryCount * Length);
        Spare = _totals + (queryCount * VectorWidth);
        _zeros = (T*)(Spare + _stride);
        _maxima = (float*)_zeros + _stride;
        _positions = (int*)(_maxima + queryCount);
        new Span<T>(_zeros, _stride).Clear();
        if (_stride > _headDim)
        {
            new Span<uint>(_packedKeys, Length * _steps).Clear(); // behind a head's last number no key writes
        }
    }

    /// <summary>Room for one head. <c>[padded d] f32</c></summary>
    public float* Spare { get; }

    /// <summary>Numbers of a head with those that fill its last vector.</summary>
    public static int PaddedWidth(int headDim) => (headDim + VectorWidth - 1) / VectorWidth * VectorWidth;

    /// <summary>Floats of scratch for some queries.</summary>
    public static int ScratchLength(int queryCount, int headDim)
    {
        var stride = PaddedWidth(headDim);
        return (((3 * queryCount) + TileRows + (2 * Length) + 2) * stride)
            + (2 * TileRows * Length)
            + (queryCount * (Length + VectorWidth + 2));
    }

    /// <summary>Begins with no queries.</summary>
    public void Begin() => _count = 0;

    /// <summary>
    /// Room for the next query, to be filled before <see cref="Attend"/>, whose row is at a position. <c>[padded d] f32</c>
    /// </summary>
    public float* Add(int position)
    {
        _positions[_count] = position;
        _maxima[_count] = float.NegativeInfinity;
        Vector512<float>.Zero.Store(_totals + (_count * VectorWidth));
        new Span<float>(_sums + (_count * _stride), _stride).Clear();
        return _queries + (_count++ * _stride);
    }

    /// <summary>Attends with all queries.</summary>
    public readonly void Attend()
    {
        var (first, end) = (int.MaxValue, 0);
        for (var query = 0; query < _count; query++)
        {
            first = Math.Min(first, FirstKey(query));
            end = Math.Max(end, EndKey(query));
        }

        var firstBlock = first / BlockLength;
        for (var block = firstBlock; block < firstBlock + 2; block++)
        {
            Prefetch(_keys, block, (end - 1) / BlockLength);
            Prefetch(_values, block, (end - 1) / BlockLength);
        }

        var tiles = TilesOf(_count);
        for (var tile = 0; tile < tiles.CountTiles(_count); tile++)
        {
            var (row, next) = (tiles.FirstRow(tile, _count), tiles.FirstRow(tile + 1, _count));
            TileRowsOf(_queries + (row * _stride), _stride, next - row, _stride, QueryTile(row));
        }

        for (var start = first / Length * Length; start < end; start += Length)
        {
            AttendStretch(start, first, end);
        }
    }

    /// <summary>Writes a query's result. <paramref name="result"/>: <c>[d]</c>.</summary>
    public readonly void Finish(int query, T* result)
    {
        var scale = Vector512.Create(1 / Vector512.Sum(Vector512.Load(_totals + (query * VectorWidth))));
        var sums = _sums + (query * _stride);
        if (typeof(T) == typeof(ushort))
        {
            ValueSteps.Restore(sums, _headDim);
        }

        for (var d = 0; d < _headDim; d += VectorWidth)
        {
            PartialRow.Store<T, TElement>(result + d, Vector512.Load(sums + d) * scale, _headDim - d);
        }
    }

    private readonly int FirstKey(int query) => (int)Math.Max(0L, _positions[query] + 1L - _window);

    private readonly int EndKey(int query) => _positions[query] + 1;

    private readonly TilePlan TilesOf(int rows) => new(Math.Min(_tileRows, rows), MaxTileBlocks, 0);

    private readonly byte* QueryTile(int firstRow) => _packedQueries + (firstRow * _steps * _kernel.Form.StepBytes);

    private readonly void TileRowsOf(float* source, int stride, int rows, int numbers, void* target) =>
        Engine.Cpu.Kernels.Linear.TileRows.Pack(_kernel.Form, source, stride, rows, numbers, target);

    /// <summary>All queries and the keys of a stretch.</summary>
    /// <param name="start">Its first position.</param>
    /// <param name="first">The first position that any query sees.</param>
    /// <param name="end">One past the last.</param>
    private readonly void AttendStretch(int start, int first, int end)
    {
        var places = stackalloc long[2];
        var inStretch = start / BlockLength;
        var (firstBlock, endBlock) = (Math.Max(start, first) / BlockLength, BlockTable.BlocksFor(Math.Min(end, start + Length)));
        var lastBlock = BlockTable.BlocksFor(end) - 1;
        for (var block = firstBlock; block < endBlock; block++)
        {
            places[block - inStretch] = _blocks[block] * _blockStride;
            Prefetch(_keys, block + 2, lastBlock);
            PackKeys(_keys + places[block - inStretch], block - inStretch);
        }

        Score(firstBlock - inStretch, endBlock - inStretch);
        Prefetch(_values, inStretch + 2, lastBlock);
        Prefetch(_values, inStretch + 3, lastBlock);
        var packed = (From: -1, To: -1);
        for (int query = 0, next; query < _count; query = next)
        {
            var seen = Seen(query, start);
            for (next = query + 1; next < _count && Seen(next, start) == seen; next++) { }

            if (seen.From >= seen.To)
            {
                continue;
            }

            if (packed != seen)
            {
                PackValues(places, seen.From, seen.To);
                packed = seen;
            }

            for (var i = query; i < next; i++)
            {
                Weigh(i, seen.From, seen.To);
            }

            AddValues(query, next, StepsBefore(seen.To));
        }
    }

    /// <summary>
    /// Asks for a block's keys or values, if there is one: the processor does not foresee which block is next. Into the second-level cache,
    /// because the first waits for all of them before it goes on.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Prefetch(T* source, int block, int lastBlock)
    {
        if (block > lastBlock || !Sse.IsSupported)
        {
            return;
        }

        var bytes = (byte*)(source + (_blocks[block] * _blockStride));
        var count = BlockLength * _headDim * sizeof(T);
        for (var i = 0; i < count; i += CacheLine)
        {
            Sse.Prefetch1(bytes + i);
        }
    }

    /// <summary>Which positions of a stretch a query sees.</summary>
    private readonly (int From, int To) Seen(int query, int start) =>
        (Math.Max(FirstKey(query) - start, 0), Math.Min(EndKey(query) - start, Length));

    /// <summary>Steps of values before a position; whole groups of steps.</summary>
    private static int StepsBefore(int to) => (to + VectorWidth - 1) / VectorWidth * VectorWidth * sizeof(T) / sizeof(uint);

    private readonly void PackKeys(T* keys, int block)
    {
        var target = _packedKeys + (block * BlockLength * _steps);
        var rowBytes = _headDim * sizeof(T);
        StepTurner.Run(keys, rowBytes, VectorWidth, rowBytes / sizeof(uint), target, VectorWidth);
        StepTurner.Run(
            keys + (VectorWidth * _headDim),
            rowBytes,
            VectorWidth,
            rowBytes / sizeof(uint),
            target + (VectorWidth * _steps),
            VectorWidth
        );
    }

    /// <summary>Scores of all queries with the keys of some blocks of the stretch.</summary>
    private readonly void Score(int firstBlock, int endBlock)
    {
        new Span<float>(_scores, _count * Length).Clear();
        var tiles = TilesOf(_count);
        for (var tile = 0; tile < tiles.CountTiles(_count); tile++)
        {
            var row = tiles.FirstRow(tile, _count);
            Multiply(
                tiles.FirstRow(tile + 1, _count) - row,
                firstBlock * BlockLength / VectorWidth,
                endBlock * BlockLength / VectorWidth,
                _packedKeys,
                _steps,
                QueryTile(row),
                _steps,
                _scores + (row * Length),
                Length
            );
        }
    }

    /// <summary>Multiplies a tile of rows with some blocks of weights.</summary>
    private readonly void Multiply(
        int rows,
        int firstBlock,
        int endBlock,
        uint* weights,
        int stepsOfBlock,
        void* activations,
        int steps,
        float* sums,
        int sumStride
    )
    {
        var most = MaxTileBlocks;
        while (!_kernel.Form.Fits(new TileShape(rows, most)))
        {
            most--;
        }

        for (var block = firstBlock; block < endBlock; block += most)
        {
            var place = weights + (block * stepsOfBlock * VectorWidth);
            _kernel.Multiply(
                new TileShape(rows, Math.Min(most, endBlock - block)),
                place,
                (nint)stepsOfBlock * VectorWidth * sizeof(uint),
                activations,
                steps,
                sums + (block * VectorWidth),
                (nint)sumStride * sizeof(float),
                new WeightsAhead((nint)place, 0)
            );
        }
    }

    /// <summary>Lays the stretch's values [from, to) out; whole groups of steps, zeros elsewhere.</summary>
    private readonly void PackValues(long* places, int from, int to)
    {
        const int BlockStride = Length * VectorWidth; // numbers of a block
        var step = 0;
        for (var block = 0; from == 0 && block * BlockLength < to; block++)
        {
            // All whole steps of the block at once.
            var count = Math.Min(BlockLength, to - (block * BlockLength)) * sizeof(T) / sizeof(uint);
            var values = _values + places[block];
            if (typeof(T) == typeof(ushort))
            {
                ValueSteps.Put((ushort*)values, count, _headDim, _packedValues + (step * VectorWidth), BlockStride / 2);
            }
            else
            {
                ValueSteps.Put((float*)values, count, _headDim, (float*)_packedValues + (step * VectorWidth), BlockStride);
            }

            step += count;
        }

        for (; step < StepsBefore(to); step++)
        {
            if (typeof(T) == typeof(ushort))
            {
                var first = (ushort*)Value(places, 2 * step, from, to);
                var second = (ushort*)Value(places, (2 * step) + 1, from, to);
                ValueSteps.Put(first, second, _headDim, _packedValues + (step * VectorWidth), BlockStride / 2);
            }
            else
            {
                var value = Value(places, step, from, to);
                ValueSteps.Put((float*)value, 1, _headDim, (float*)_packedValues + (step * VectorWidth), BlockStride);
            }
        }
    }

    private readonly T* Value(long* places, int position, int from, int to) =>
        position >= from && position < to ? _values + places[position / BlockLength] + (position % BlockLength * _headDim) : _zeros;

    /// <summary>Adds the weighted values of a stretch to the sums of some queries.</summary>
    private readonly void AddValues(int first, int end, int steps)
    {
        var tiles = TilesOf(end - first);
        for (var tile = 0; tile < tiles.CountTiles(end - first); tile++)
        {
            var (row, next) = (first + tiles.FirstRow(tile, end - first), first + tiles.FirstRow(tile + 1, end - first));
            TileRowsOf(_scores + (row * Length), Length, next - row, steps * sizeof(uint) / sizeof(T), _packedWeights);
            Multiply(
                next - row,
                0,
                _stride / VectorWidth,
                _packedValues,
                Length * sizeof(T) / sizeof(uint),
                _packedWeights,
                steps,
                _sums + (row * _stride),
                _stride
            );
        }
    }

    /// <summary>Turns the scores of the keys [from, to) into weights, under a new maximum; all others of their vectors become 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Weigh(int query, int from, int to)
    {
        var scores = _scores + (query * Length);
        var scale = Vector512.Create(_scale);
        var largest = Vector512.Create(float.NegativeInfinity);
        for (var i = 0; i < to; i += VectorWidth)
        {
            var score = Vector512.Load(scores + i) * scale;
            if (_cap > 0)
            {
                score = SimdMath.Tanh(score / _cap) * _cap;
            }

            if (i < from || i > to - VectorWidth)
            {
                score = Mask(score, from - i, to - i);
            }

            score.Store(scores + i);
            largest = Vector512.MaxNative(score, largest);
        }

        var maximum = Math.Max(_maxima[query], LargestOf(largest));
        if (maximum > _maxima[query])
        {
            Rescale(query, maximum);
        }

        var total = Vector512.Load(_totals + (query * VectorWidth));
        for (var i = 0; i < to; i += VectorWidth)
        {
            var weight = SimdMath.Exp(Vector512.Load(scores + i) - Vector512.Create(maximum));
            if (_kernel.Form.Weights == WeightForm.Bf16Pairs)
            {
                weight = Bf16Element.Round(weight); // so that the weights that count add up to 1
            }

            weight.Store(scores + i);
            total += weight;
        }

        total.Store(_totals + (query * VectorWidth));
    }

    /// <summary>Scores in the lanes [from, to), −∞ in all others.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Mask(Vector512<float> scores, int from, int to)
    {
        var lanes = Vector512<int>.Indices;
        var seen = Vector512.GreaterThanOrEqual(lanes, Vector512.Create(from)) & Vector512.LessThan(lanes, Vector512.Create(to));
        return Vector512.ConditionalSelect(seen.AsSingle(), scores, Vector512.Create(float.NegativeInfinity));
    }

    /// <summary>Brings what a query has added up under a larger maximum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Rescale(int query, float maximum)
    {
        var correction = SimdMath.Exp(Vector512.Create(_maxima[query] - maximum));
        _maxima[query] = maximum;
        var totals = _totals + (query * VectorWidth);
        (Vector512.Load(totals) * correction).Store(totals);
        var sums = _sums + (query * _stride);
        for (var d = 0; d < _stride; d += VectorWidth)
        {
            (Vector512.Load(sums + d) * correction).Store(sums + d);
        }
    }

    private static float LargestOf(Vector512<float> values)
    {
        var half = Vector256.MaxNative(values.GetLower(), values.GetUpper());
        var quarter = Vector128.MaxNative(half.GetLower(), half.GetUpper());
        return Math.Max(Math.Max(quarter[0], quarter[1]), Math.Max(quarter[2], quarter[3]));
    }
}
