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
/// multiply both, straight from the cache (<see cref="KeptHead{T}"/>). A query's result depends on its own position only, whatever queries
/// go with it: what they see and it does not has the weight 0, and adds nothing.
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

    private readonly LinearKernel _kernel;
    private readonly AttentionTiles _tiles;
    private readonly int _steps; // of a head
    private readonly int _blockSteps; // of a block's positions
    private readonly float* _queries; // [queries, stride]
    private readonly float* _sums; // [queries, stride]
    private readonly float* _totals; // [queries, 16]
    private readonly float* _scores; // [queries, stretch]; then weights
    private readonly float* _maxima; // [queries]
    private readonly int* _positions; // [queries]
    private readonly byte* _packedQueries; // [queries' tiles][step][row]
    private readonly byte* _packedWeights; // a tile of them, and room to make it
    private readonly int _stride; // w
    private readonly int _headDim;
    private readonly T* _keys; // the head's first in the cache
    private readonly T* _values;
    private readonly int* _blocks; // the sequence's, at _blockStride
    private readonly long _blockStride;
    private readonly int _window;
    private readonly float _scale;
    private readonly float _cap;
    private int _count;

    /// <param name="kernel">What multiplies.</param>
    /// <param name="tiles">Of the kernel.</param>
    /// <param name="scratch"><see cref="ScratchLength"/> floats.</param>
    /// <param name="queryCount">Most queries.</param>
    /// <param name="shape">Of the layer.</param>
    /// <param name="keys">The head's first key in the cache.</param>
    /// <param name="values">The head's first value.</param>
    /// <param name="blocks">The sequence's blocks.</param>
    /// <param name="placesPerBlock">Places of the cache from block to block.</param>
    public KeyBlocks(
        LinearKernel kernel,
        AttentionTiles tiles,
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
        _tiles = tiles;
        _headDim = shape.HeadDim;
        _stride = KeptHead<T>.WidthOf(shape.HeadDim);
        _steps = KeptHead<T>.StepsOf(_stride);
        _blockSteps = KeptHead<T>.StepsOf(BlockLength);
        _keys = keys;
        _values = values;
        _blocks = blocks;
        _blockStride = (long)placesPerBlock * _stride;
        _window = shape.SlidingWindow ?? int.MaxValue;
        _scale = (float)shape.Scale;
        _cap = (float)(shape.SoftCap ?? 0);
        _packedQueries = (byte*)scratch;
        _packedWeights = _packedQueries + ((queryCount + AttentionTiles.MostRows) * _stride * sizeof(float));
        _queries = (float*)(_packedWeights + (2 * AttentionTiles.MostRows * Length * sizeof(float)));
        _sums = _queries + (queryCount * _stride);
        _scores = _sums + (queryCount * _stride);
        _totals = _scores + (queryCount * Length);
        Spare = _totals + (queryCount * VectorWidth);
        _maxima = Spare + _stride;
        _positions = (int*)(_maxima + queryCount);
    }

    /// <summary>Room for one head. <c>[padded d] f32</c></summary>
    public float* Spare { get; }

    /// <summary>Floats of scratch for some queries.</summary>
    public static int ScratchLength(int queryCount, int headDim)
    {
        var stride = KeptHead<T>.WidthOf(headDim);
        return (((3 * queryCount) + AttentionTiles.MostRows + 1) * stride)
            + (2 * AttentionTiles.MostRows * Length)
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

        var tiles = PlanOf(_tiles.Scores);
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
        for (var d = 0; d < _headDim; d += VectorWidth)
        {
            PartialRow.Store<T, TElement>(result + d, Vector512.Load(sums + d) * scale, _headDim - d);
        }
    }

    private readonly int FirstKey(int query) => (int)Math.Max(0L, _positions[query] + 1L - _window);

    private readonly int EndKey(int query) => _positions[query] + 1;

    private static TilePlan PlanOf(TileShape largest) => new(largest.Rows, largest.Blocks, 0);

    private readonly byte* QueryTile(int firstRow) => _packedQueries + (firstRow * _steps * _kernel.Form.StepBytes);

    private readonly void TileRowsOf(float* source, int stride, int rows, int numbers, void* target) =>
        Engine.Cpu.Kernels.Linear.TileRows.Pack(_kernel.Form, source, stride, rows, numbers, target);

    /// <summary>All queries and the keys of a stretch.</summary>
    /// <param name="start">Its first position.</param>
    /// <param name="first">The first position that any query sees.</param>
    /// <param name="end">One past the last.</param>
    private readonly void AttendStretch(int start, int first, int end)
    {
        var stretch = start / BlockLength;
        var firstBlock = (Math.Max(start, first) / BlockLength) - stretch;
        var to = RoundUp(Math.Min(end - start, Length));
        var lastBlock = BlockTable.BlocksFor(end) - 1;
        new Span<float>(_scores, _count * Length).Clear();
        for (var block = firstBlock; block * BlockLength < to; block++)
        {
            Prefetch(_keys, stretch + block + 2, lastBlock);
            Score(stretch, block);
        }

        Prefetch(_values, stretch + 2, lastBlock);
        Prefetch(_values, stretch + 3, lastBlock);
        for (var query = 0; query < _count; query++)
        {
            Weigh(query, Math.Max(FirstKey(query) - start, 0), Math.Min(EndKey(query) - start, Length), to);
        }

        AddValues(stretch, firstBlock, to);
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
        var count = BlockLength * _stride * sizeof(T);
        for (var i = 0; i < count; i += CacheLine)
        {
            Sse.Prefetch1(bytes + i);
        }
    }

    private static int RoundUp(int positions) => (positions + VectorWidth - 1) / VectorWidth * VectorWidth;

    /// <summary>Scores of all queries with the keys of a block of the stretch.</summary>
    private readonly void Score(int stretch, int block)
    {
        var tiles = PlanOf(_tiles.Scores);
        for (var tile = 0; tile < tiles.CountTiles(_count); tile++)
        {
            var row = tiles.FirstRow(tile, _count);
            Multiply(
                new TileShape(tiles.FirstRow(tile + 1, _count) - row, tiles.Blocks),
                BlockLength / VectorWidth,
                (byte*)(_keys + (_blocks[stretch + block] * _blockStride)),
                KeptHead<T>.KeyStride(_stride),
                QueryTile(row),
                _steps,
                _scores + (row * Length) + (block * BlockLength),
                Length
            );
        }
    }

    /// <summary>Multiplies a tile of rows with some blocks of weights, of which the tile takes several at once.</summary>
    private readonly void Multiply(
        TileShape tile,
        int blocks,
        byte* weights,
        nint blockStride,
        void* activations,
        int steps,
        float* sums,
        int sumStride
    )
    {
        for (var block = 0; block < blocks; block += tile.Blocks)
        {
            var place = weights + (block * blockStride);
            _kernel.Multiply(
                tile with
                {
                    Blocks = Math.Min(tile.Blocks, blocks - block),
                },
                place,
                blockStride,
                activations,
                steps,
                sums + (block * VectorWidth),
                (nint)sumStride * sizeof(float),
                new WeightsAhead((nint)place, 0)
            );
        }
    }

    /// <summary>Adds the weighted values of a stretch up to a position to the sums of all queries.</summary>
    private readonly void AddValues(int stretch, int firstBlock, int to)
    {
        var tiles = PlanOf(_tiles.Values);
        for (var tile = 0; tile < tiles.CountTiles(_count); tile++)
        {
            var (row, next) = (tiles.FirstRow(tile, _count), tiles.FirstRow(tile + 1, _count));
            TileRowsOf(_scores + (row * Length), Length, next - row, to, _packedWeights);
            for (var block = firstBlock; block * BlockLength < to; block++)
            {
                Multiply(
                    new TileShape(next - row, tiles.Blocks),
                    _stride / VectorWidth,
                    (byte*)(_values + (_blocks[stretch + block] * _blockStride)),
                    KeptHead<T>.ValueStride(BlockLength),
                    _packedWeights + (block * _blockSteps * (next - row) * _kernel.Form.StepBytes),
                    Math.Min(_blockSteps, KeptHead<T>.StepsOf(to - (block * BlockLength))),
                    _sums + (row * _stride),
                    _stride
                );
            }
        }
    }

    /// <summary>Turns the scores of the keys [from, to) into weights, under a new maximum; all others become 0.</summary>
    /// <param name="query">Whose.</param>
    /// <param name="from">The first key that it sees.</param>
    /// <param name="to">One past the last.</param>
    /// <param name="end">How many keys there are; a multiple of 16.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Weigh(int query, int from, int to, int end)
    {
        var scores = _scores + (query * Length);
        var seen = from < to ? RoundUp(to) : 0;
        new Span<float>(scores + seen, end - seen).Clear();
        if (seen == 0)
        {
            return;
        }

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
