using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dsde.Engine.Cpu.Threads;

namespace Dsde.Engine.Cpu.Kernels.Linear;

/// <summary>
/// A linear layer: x·Wᵀ + b and what becomes of it. Items are runs of blocks of outputs, so that each weight is read from memory by one
/// thread, once, and from its cache for the tiles of rows behind the first.
/// </summary>
internal sealed unsafe class LinearWork<T, TElement>(LinearKernel kernel) : ITeamWork, IDisposable
    where T : unmanaged
    where TElement : IElement<T>
{
    /// <summary>Rows whose sums are kept while the inputs are gone through in pieces.</summary>
    private const int RowBlock = 128;

    /// <summary>Bytes of weights that stay in a core's own cache while rows pass by.</summary>
    private const int CachedBytes = 256 << 10;

    private const int BlockWidth = PackedWeight.BlockWidth;

    /// <summary>Most blocks that are finished together: two tiles, where gates and what they gate lie in different ones.</summary>
    private const int MaxGroup = 8;

    private readonly RowPacker _rows = new();
    private PackedWeight? _weight;
    private TilePlan _plan;
    private LinearFinish _finish;
    private byte* _x; // tiles of rows
    private T* _residual; // [R, out]
    private void* _result; // [R, out] or [R, out / 2]
    private int _rowCount;
    private int _itemBlocks;

    private bool IsGated => _finish is LinearFinish.GateSilu or LinearFinish.GateGelu;

    /// <summary>Sets the layer up and runs it.</summary>
    /// <param name="team">Who does it.</param>
    /// <param name="weight"><c>[out, in]</c></param>
    /// <param name="x"><c>[R, in]</c></param>
    /// <param name="rowCount">R.</param>
    /// <param name="finish">What becomes of the sums.</param>
    /// <param name="residual"><c>[R, out]</c>, for <see cref="LinearFinish.AddResidual"/>.</param>
    /// <param name="result"><c>[R, out]</c>; gated <c>[R, out / 2]</c>.</param>
    public void Run(ThreadTeam team, PackedWeight weight, T* x, int rowCount, LinearFinish finish, T* residual, void* result)
    {
        _weight = weight;
        _rowCount = rowCount;
        _finish = finish;
        _residual = residual;
        _result = result;
        _plan = Plan ?? kernel.Tiles.Find(rowCount);
        _x = _rows.Run(team, kernel.Form, _plan, weight, x, rowCount);
        _itemBlocks = CountItemBlocks(team.ThreadCount);
        team.Run(
            this,
            (weight.BlockCount + _itemBlocks - 1) / _itemBlocks,
            WorkSize.IsWorthSharing((long)weight.OutputCount * weight.InputCount * (rowCount + 1))
        );
    }

    /// <summary>A plan for all numbers of rows instead of the table's, for the search.</summary>
    public TilePlan? Plan { get; set; }

    /// <inheritdoc/>
    public void Dispose() => _rows.Dispose();

    /// <inheritdoc/>
    [SkipLocalsInit]
    public void Run(int item)
    {
        var sums = stackalloc float[RowBlock * MaxGroup * BlockWidth]; // [rows, blocks · 16]
        var tileCount = _plan.CountTiles(_rowCount);
        var tilesAtOnce = RowBlock / _plan.TileRows;
        var group = IsGated && _plan.Blocks % 2 != 0 ? 2 * _plan.Blocks : _plan.Blocks;
        var end = Math.Min((item + 1) * _itemBlocks, _weight!.BlockCount); // set before any item runs
        for (var block = item * _itemBlocks; block < end; block += group)
        {
            var blocks = Math.Min(group, end - block);
            for (var tile = 0; tile < tileCount; tile += tilesAtOnce)
            {
                Multiply(block, blocks, tile, Math.Min(tile + tilesAtOnce, tileCount), sums);
            }
        }
    }

    /// <summary>
    /// As the plan has it, but no more than leave something for every thread; whole tiles, and even where blocks are finished in pairs.
    /// </summary>
    private int CountItemBlocks(int threadCount)
    {
        var each = (_weight!.BlockCount + threadCount - 1) / threadCount;
        var blocks = Math.Min(_plan.ItemBlocks, (each + _plan.Blocks - 1) / _plan.Blocks * _plan.Blocks);
        return IsGated ? (blocks + 1) / 2 * 2 : blocks;
    }

    /// <summary>Some tiles of rows by some blocks of outputs, from first to last input.</summary>
    private void Multiply(int firstBlock, int blocks, int firstTile, int endTile, float* sums)
    {
        var width = blocks * BlockWidth;
        var (firstRow, endRow) = (_plan.FirstRow(firstTile, _rowCount), _plan.FirstRow(endTile, _rowCount));
        new Span<float>(sums, (endRow - firstRow) * width).Clear();
        var stepCount = _weight!.StepCount;
        var piece = firstTile + 1 == endTile ? stepCount : CachedSteps(blocks);
        for (var step = 0; step < stepCount; step += piece)
        {
            for (var tile = firstTile; tile < endTile; tile++)
            {
                MultiplyTile(firstBlock, blocks, tile, step, Math.Min(piece, stepCount - step), sums, firstRow);
            }
        }

        Finish(firstBlock, blocks, firstRow, endRow - firstRow, sums);
    }

    private void MultiplyTile(int firstBlock, int blocks, int tile, int step, int steps, float* sums, int firstRow)
    {
        var weight = _weight!;
        var row = _plan.FirstRow(tile, _rowCount);
        var rows = _plan.FirstRow(tile + 1, _rowCount) - row;
        var x = _x + ((((long)row * weight.StepCount) + ((long)step * rows)) * kernel.Form.StepBytes);
        var weights = (byte*)weight.Steps + (firstBlock * weight.BlockStride) + ((nint)step * BlockWidth * sizeof(uint));
        var sum = sums + ((row - firstRow) * blocks * BlockWidth);
        for (var block = 0; block < blocks; block += _plan.Blocks)
        {
            var place = weights + (block * weight.BlockStride);
            kernel.Multiply(
                new TileShape(rows, Math.Min(_plan.Blocks, blocks - block)),
                place,
                weight.BlockStride,
                x,
                steps,
                sum + (block * BlockWidth),
                blocks * BlockWidth * sizeof(float),
                Ahead(place, blocks, tile, step)
            );
        }
    }

    /// <summary>
    /// With one tile, what is a little further in the same blocks. With several, each tile fetches its part of the blocks that come next;
    /// behind an item's last ones lie those of an item that another thread has begun, so that fetching them costs memory nothing.
    /// </summary>
    /// <param name="weights">Of the tile's first block and step.</param>
    /// <param name="blocks">To the same place of the next blocks.</param>
    /// <param name="tile">Counted from 0.</param>
    /// <param name="step">The first step.</param>
    private WeightsAhead Ahead(byte* weights, int blocks, int tile, int step)
    {
        const int stepBytes = BlockWidth * sizeof(uint);
        const int near = 4096; // bytes
        var tileCount = _plan.CountTiles(_rowCount);
        if (tileCount == 1)
        {
            return new WeightsAhead((nint)weights + near, LinearKernel.StepGroup * stepBytes);
        }

        var share = (((long)tile * _weight!.StepCount) + step) / tileCount * stepBytes;
        return new WeightsAhead(
            (nint)(weights - ((long)step * stepBytes) + (blocks * _weight.BlockStride) + share),
            LinearKernel.StepGroup * stepBytes / tileCount
        );
    }

    /// <summary>Steps whose weights stay in a core's own cache while rows pass by.</summary>
    private static int CachedSteps(int blocks)
    {
        var steps = CachedBytes / (blocks * BlockWidth * sizeof(uint));
        return steps / LinearKernel.StepGroup * LinearKernel.StepGroup;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Finish(int firstBlock, int blocks, int firstRow, int rows, float* sums)
    {
        var weight = _weight!;
        var (halves, resultWidth) = (IsGated ? 2 : 1, weight.ResultWidth);
        for (var block = 0; block < blocks; block += halves)
        {
            var output = (firstBlock + block) / halves * BlockWidth;
            var left = resultWidth - output;
            var bias = weight.Bias == null ? null : weight.Bias + ((firstBlock + block) * BlockWidth);
            var sum = sums + (block * BlockWidth);
            for (var row = 0; row < rows; row++, sum += blocks * BlockWidth)
            {
                var place = ((long)(firstRow + row) * resultWidth) + output;
                var values = AddBias(sum, bias);
                switch (_finish)
                {
                    case LinearFinish.KeepWide:
                        PartialRow.Store<float, Fp32Element>((float*)_result + place, values, left);
                        continue;
                    case LinearFinish.AddResidual:
                        values += PartialRow.Load<T, TElement>(_residual + place, left);
                        break;
                    case LinearFinish.GateSilu or LinearFinish.GateGelu:
                        var up = AddBias(sum + BlockWidth, bias == null ? null : bias + BlockWidth);
                        values = up * (_finish == LinearFinish.GateSilu ? SimdMath.Silu(values) : SimdMath.GeluTanh(values));
                        break;
                }

                PartialRow.Store<T, TElement>((T*)_result + place, values, left);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> AddBias(float* sums, float* bias) =>
        bias == null ? Vector512.Load(sums) : Vector512.Load(sums) + Vector512.Load(bias);
}
