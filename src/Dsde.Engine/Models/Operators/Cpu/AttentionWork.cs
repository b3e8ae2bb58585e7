using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dsde.Engine.Cpu.Kernels;
using Dsde.Engine.Cpu.Kernels.Linear;
using Dsde.Engine.Cpu.Threads;
using Dsde.Engine.Kv;
using Dsde.Engine.Models.Passes;

namespace Dsde.Engine.Models.Operators.Cpu;

/// <summary>
/// Attention over the cache in place, block by block. Items are (sequence, key head) pairs, each of which writes its keys and values and
/// then attends with all its queries, so that they depend on nothing else. What a row gives depends on its slot's past alone: see
/// <see cref="KeyBlocks{T, TElement}"/>.
/// </summary>
/// <param name="kernel">What multiplies.</param>
internal sealed unsafe class AttentionWork<T, TElement>(LinearKernel kernel) : ITeamWork
    where T : unmanaged
    where TElement : IElement<T>
{
    /// <summary>Queries that go through the keys together.</summary>
    private const int QueryBlock = 24;

    private const int CacheLine = 64; // bytes

    private readonly AttentionTiles _tiles = AttentionTiles.For(kernel);
    private readonly List<int> _firstRows = []; // of each span
    private AttentionArguments<T> _arguments;
    private AttentionShape? _shape;
    private IReadOnlyList<RowSpan> _spans = [];

    /// <summary>Attends.</summary>
    public void Run(ThreadTeam team, in AttentionArguments<T> arguments, AttentionShape shape, IReadOnlyList<RowSpan> spans)
    {
        _arguments = arguments;
        _shape = shape;
        _spans = spans;
        _firstRows.Clear();
        var row = 0;
        long multiplications = 0;
        for (var i = 0; i < spans.Count; i++)
        {
            var span = spans[i];
            _firstRows.Add(row);
            row += span.Count;
            multiplications += 2L * span.Count * (span.First + span.Count) * shape.HeadCount * shape.HeadDim;
        }

        team.Run(this, spans.Count * shape.KvHeadCount, WorkSize.IsWorthSharing(multiplications));
    }

    /// <inheritdoc/>
    [SkipLocalsInit]
    public void Run(int item)
    {
        var shape = _shape!; // set before any item runs
        var (spanIndex, group) = Math.DivRem(item, shape.KvHeadCount);
        var span = _spans[spanIndex];
        var firstRow = _firstRows[spanIndex];
        var perGroup = shape.HeadCount / shape.KvHeadCount;
        var table = _arguments.Table;
        var width = KeptHead<T>.WidthOf(shape.HeadDim);
        var room = stackalloc float[KeyBlocks<T, TElement>.ScratchLength(QueryBlock, shape.HeadDim) + PartialRow.VectorWidth];
        var scratch = (float*)(((nint)room + CacheLine - 1) & -CacheLine); // kernels read whole lines
        var blocks = new KeyBlocks<T, TElement>(
            kernel,
            _tiles,
            scratch,
            QueryBlock,
            shape,
            _arguments.Keys + ((long)group * BlockTable.BlockLength * width),
            _arguments.Values + ((long)group * BlockTable.BlockLength * width),
            table.AddressOf(span.Slot),
            table.PlacesPerBlock
        );

        // A weight of 0 hides what is a number: a value that is none must not be there yet when rows before it attend.
        var rowsAtOnce = span.Count == 1 || AreNumbers(shape, firstRow, span.Count, group) ? span.Count : 1;
        for (var row = 0; row < span.Count; row += rowsAtOnce)
        {
            WriteKeysAndValues(shape, span, firstRow, row, rowsAtOnce, group, scratch);
            for (var first = row * perGroup; first < (row + rowsAtOnce) * perGroup; first += QueryBlock)
            {
                Attend(ref blocks, shape, span, firstRow, group, first, Math.Min(QueryBlock, ((row + rowsAtOnce) * perGroup) - first));
            }
        }
    }

    /// <summary>Attends with some queries of a group of heads, counted row by row.</summary>
    private void Attend(
        ref KeyBlocks<T, TElement> blocks,
        AttentionShape shape,
        RowSpan span,
        int firstRow,
        int group,
        int first,
        int count
    )
    {
        var perGroup = shape.HeadCount / shape.KvHeadCount;
        blocks.Begin();
        for (var i = 0; i < count; i++)
        {
            var (row, head) = Math.DivRem(first + i, perGroup);
            var position = span.First + row;
            var query = Head(shape, firstRow + row, (group * perGroup) + head);
            HeadWork<T, TElement>.Prepare(
                query,
                _arguments.QueryNorm,
                (float)shape.NormEps,
                Angle(_arguments.Cos, shape, position),
                Angle(_arguments.Sin, shape, position),
                shape.HeadDim,
                blocks.Spare,
                blocks.Add(position)
            );
        }

        blocks.Attend();
        for (var i = 0; i < count; i++)
        {
            var (row, head) = Math.DivRem(first + i, perGroup);
            var place = ((((long)firstRow + row) * shape.HeadCount) + (group * perGroup) + head) * shape.HeadDim;
            blocks.Finish(i, _arguments.Result + place);
        }
    }

    /// <summary>Keeps the keys and values of some rows of a span, which come one after the other.</summary>
    private void WriteKeysAndValues(AttentionShape shape, RowSpan span, int firstRow, int row, int count, int group, float* scratch)
    {
        var width = KeptHead<T>.WidthOf(shape.HeadDim);
        var wide = scratch + width;
        var key = (T*)(scratch + (2 * width));
        for (var i = row; i < row + count; i++)
        {
            var position = span.First + i;
            var (block, offset) = BlockOf(span.Slot, position, group, width);
            HeadWork<T, TElement>.Prepare(
                Head(shape, firstRow + i, shape.HeadCount + group),
                _arguments.KeyNorm,
                (float)shape.NormEps,
                Angle(_arguments.Cos, shape, position),
                Angle(_arguments.Sin, shape, position),
                shape.HeadDim,
                scratch,
                wide
            );
            for (var d = 0; d < width; d += PartialRow.VectorWidth)
            {
                TElement.Store(key + d, Vector512.Load(wide + d));
            }

            KeptHead<T>.PutKey(key, _arguments.Keys + block, offset, width);
            KeptHead<T>.PutValue(
                Head(shape, firstRow + i, shape.HeadCount + shape.KvHeadCount + group),
                _arguments.Values + block,
                offset,
                shape.HeadDim,
                BlockTable.BlockLength
            );
        }

        var (last, end) = BlockOf(span.Slot, span.First + row + count - 1, group, width);
        KeptHead<T>.EndValues(_arguments.Values + last, end + 1, width, BlockTable.BlockLength);
    }

    /// <summary>Where the head's numbers of a position's block begin, and which of the block the position is.</summary>
    private (long Start, int Offset) BlockOf(int slot, int position, int group, int width)
    {
        var (index, offset) = Math.DivRem(position, BlockTable.BlockLength);
        var table = _arguments.Table;
        return ((((long)table[slot, index] * table.PlacesPerBlock) + (group * BlockTable.BlockLength)) * width, offset);
    }

    private bool AreNumbers(AttentionShape shape, int firstRow, int count, int group)
    {
        for (var row = firstRow; row < firstRow + count; row++)
        {
            var value = Head(shape, row, shape.HeadCount + shape.KvHeadCount + group);
            for (var d = 0; d < shape.HeadDim; d += PartialRow.VectorWidth)
            {
                var numbers = PartialRow.Load<T, TElement>(value + d, shape.HeadDim - d);
                if (!Vector512.LessThanOrEqualAll(Vector512.Abs(numbers), Vector512.Create(float.MaxValue)))
                {
                    return false;
                }
            }
        }

        return true;
    }

    private T* Head(AttentionShape shape, int row, int head) =>
        _arguments.Qkv + ((((long)row * (shape.HeadCount + (2 * shape.KvHeadCount))) + head) * shape.HeadDim);

    private static T* Angle(T* table, AttentionShape shape, int position) => table + ((long)position * shape.HeadDim);
}
