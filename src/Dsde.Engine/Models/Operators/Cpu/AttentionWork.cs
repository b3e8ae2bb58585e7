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
        var stride = KeyBlocks<T, TElement>.PaddedWidth(shape.HeadDim);
        var room = stackalloc float[KeyBlocks<T, TElement>.ScratchLength(QueryBlock, shape.HeadDim) + PartialRow.VectorWidth];
        var scratch = (float*)(((nint)room + CacheLine - 1) & -CacheLine); // kernels read whole lines
        WriteKeysAndValues(shape, span, firstRow, group, scratch, stride);

        var blocks = new KeyBlocks<T, TElement>(
            kernel,
            scratch,
            QueryBlock,
            shape,
            _arguments.Keys + ((long)group * BlockTable.BlockLength * shape.HeadDim),
            _arguments.Values + ((long)group * BlockTable.BlockLength * shape.HeadDim),
            table.AddressOf(span.Slot),
            table.PlacesPerBlock
        );
        var queryCount = span.Count * perGroup;
        for (var first = 0; first < queryCount; first += QueryBlock)
        {
            var count = Math.Min(QueryBlock, queryCount - first);
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
    }

    private void WriteKeysAndValues(AttentionShape shape, RowSpan span, int firstRow, int group, float* scratch, int stride)
    {
        for (var i = 0; i < span.Count; i++)
        {
            var position = span.First + i;
            var place = (_arguments.Table.PlaceOf(span.Slot, position) + (group * BlockTable.BlockLength)) * shape.HeadDim;
            HeadWork<T, TElement>.Prepare(
                Head(shape, firstRow + i, shape.HeadCount + group),
                _arguments.KeyNorm,
                (float)shape.NormEps,
                Angle(_arguments.Cos, shape, position),
                Angle(_arguments.Sin, shape, position),
                shape.HeadDim,
                scratch,
                scratch + stride
            );
            var key = _arguments.Keys + place;
            for (var d = 0; d < shape.HeadDim; d += PartialRow.VectorWidth)
            {
                PartialRow.Store<T, TElement>(key + d, Vector512.Load(scratch + stride + d), shape.HeadDim - d);
            }

            new ReadOnlySpan<T>(Head(shape, firstRow + i, shape.HeadCount + shape.KvHeadCount + group), shape.HeadDim).CopyTo(
                new Span<T>(_arguments.Values + place, shape.HeadDim)
            );
        }
    }

    private T* Head(AttentionShape shape, int row, int head) =>
        _arguments.Qkv + ((((long)row * (shape.HeadCount + (2 * shape.KvHeadCount))) + head) * shape.HeadDim);

    private static T* Angle(T* table, AttentionShape shape, int position) => table + ((long)position * shape.HeadDim);
}
