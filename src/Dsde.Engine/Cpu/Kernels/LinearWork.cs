using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dsde.Engine.Cpu.Threads;

namespace Dsde.Engine.Cpu.Kernels;

/// <summary>
/// A linear layer: x·Wᵀ + b and what becomes of it. Items are runs of outputs, so that each weight is read by one thread, once for up to
/// <see cref="RowBlock"/> rows and from its cache for the rows behind them.
/// </summary>
internal sealed unsafe class LinearWork<T, TElement> : ITeamWork
    where T : unmanaged
    where TElement : IElement<T>
{
    /// <summary>Outputs of an item: long enough that memory is read in long stretches, short enough that threads end together.</summary>
    private const int ItemOutputs = 64;

    /// <summary>Rows whose activations stay in a core's cache beside an item's weights.</summary>
    private const int RowBlock = 40;

    private CpuMatrix<T>? _weight;
    private LinearFinish _finish;
    private float* _x; // [R, width] f32
    private T* _residual; // [R, out]
    private void* _result; // [R, out] or [R, out / 2]
    private int _rowCount;
    private int _resultWidth;
    private int _itemDistance; // outputs from an item to the one that its thread takes next, if all take turns

    private bool IsGated => _finish is LinearFinish.GateSilu or LinearFinish.GateGelu;

    /// <summary>Sets the layer up and runs it.</summary>
    /// <param name="team">Who does it.</param>
    /// <param name="weight"><c>[out, in]</c></param>
    /// <param name="x">Widened activations, with some readable rows behind them. <c>[R, width] f32</c></param>
    /// <param name="rowCount">R.</param>
    /// <param name="finish">What becomes of the sums.</param>
    /// <param name="residual"><c>[R, out]</c>, for <see cref="LinearFinish.AddResidual"/>.</param>
    /// <param name="result"><c>[R, out]</c>; gated <c>[R, out / 2]</c>.</param>
    public void Run(ThreadTeam team, CpuMatrix<T> weight, float* x, int rowCount, LinearFinish finish, T* residual, void* result)
    {
        _weight = weight;
        _x = x;
        _rowCount = rowCount;
        _finish = finish;
        _residual = residual;
        _result = result;
        _resultWidth = IsGated ? weight.OutputCount / 2 : weight.OutputCount;
        _itemDistance = team.ThreadCount * ItemOutputs;
        team.Run(
            this,
            (_resultWidth + ItemOutputs - 1) / ItemOutputs,
            WorkSize.IsWorthSharing((long)weight.OutputCount * weight.Width * (rowCount + 1))
        );
    }

    /// <inheritdoc/>
    [SkipLocalsInit]
    public void Run(int item)
    {
        var first = item * ItemOutputs;
        var count = Math.Min(ItemOutputs, _resultWidth - first);
        var sums = stackalloc float[2 * RowBlock * ItemOutputs]; // [rows, outputs]
        var ups = sums + (RowBlock * ItemOutputs);
        for (var row = 0; row < _rowCount; row += RowBlock)
        {
            var rows = Math.Min(RowBlock, _rowCount - row);
            if (IsGated)
            {
                Multiply(first, count, row, rows, sums, next: _resultWidth + first);
                Multiply(_resultWidth + first, count, row, rows, ups, next: first + _itemDistance);
            }
            else
            {
                Multiply(first, count, row, rows, sums, next: first + _itemDistance);
            }

            Finish(first, count, row, rows, sums, ups);
        }
    }

    /// <summary>
    /// Sums of some outputs and rows. <paramref name="sums"/>: <c>[rows, item outputs]</c>; <paramref name="next"/>: the output that this
    /// thread is likely to go on with, whose weights are asked for in time.
    /// </summary>
    private void Multiply(int first, int count, int row, int rows, float* sums, int next)
    {
        var weight = _weight!; // set before any item runs
        nint width = weight.Width;
        var last = weight.Rows + ((long)(first + count - 1) * width);
        var tile = new TileWeights<T> { Width = width };
        for (var output = 0; output < count; output += DotTile<T, TElement>.OutputCount)
        {
            tile.Ahead =
                (output + DotTile<T, TElement>.OutputCount < count ? DotTile<T, TElement>.OutputCount : next - first - output) * width;
            tile.Row0 = weight.Rows + ((long)(first + output) * width);
            tile.Row1 = Min(tile.Row0 + width, last); // at the end of a matrix the last row stands in for those that aren't there
            tile.Row2 = Min(tile.Row0 + (2 * width), last);
            tile.Row3 = Min(tile.Row0 + (3 * width), last);
            DotTile<T, TElement>.Rows(tile, _x + ((long)row * width), width, rows, sums + output, ItemOutputs);
        }
    }

    private static T* Min(T* a, T* b) => a < b ? a : b;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Finish(int first, int count, int row, int rows, float* sums, float* ups)
    {
        var bias = _weight!.Bias;
        for (var r = 0; r < rows; r++)
        {
            var place = ((long)(row + r) * _resultWidth) + first;
            for (var i = 0; i < count; i += PartialRow.VectorWidth)
            {
                var left = count - i;
                var values = AddBias(Vector512.Load(sums + (r * ItemOutputs) + i), bias, first + i, left);
                switch (_finish)
                {
                    case LinearFinish.KeepWide:
                        PartialRow.Store<float, Fp32Element>((float*)_result + place + i, values, left);
                        continue;
                    case LinearFinish.AddResidual:
                        values += PartialRow.Load<T, TElement>(_residual + place + i, left);
                        break;
                    case LinearFinish.GateSilu or LinearFinish.GateGelu:
                        var up = AddBias(Vector512.Load(ups + (r * ItemOutputs) + i), bias, _resultWidth + first + i, left);
                        values = up * (_finish == LinearFinish.GateSilu ? SimdMath.Silu(values) : SimdMath.GeluTanh(values));
                        break;
                }

                PartialRow.Store<T, TElement>((T*)_result + place + i, values, left);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> AddBias(Vector512<float> sums, float* bias, int output, int count) =>
        bias == null ? sums : sums + PartialRow.Load<float, Fp32Element>(bias + output, count);
}
