using Dsde.Engine.Kv;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Passes;

/// <summary>
/// Plans a pass on the host: which slots get how many rows from which position. Then <see cref="Stage"/>, upload, <see cref="Bind"/>.
/// </summary>
/// <param name="cache">Where keys and values of the rows go.</param>
internal sealed class PassLayout(KvCache cache)
{
    private readonly List<RowSpan> _spans = [];
    private (int, int) _positions,
        _cacheRows,
        _lastKeys,
        _bounds,
        _logitRows;
    private (int, int)? _gridRows,
        _rowCells;
    private int _queryCount,
        _keyCount;
    private bool _allLogits;

    /// <summary>Rows so far (R).</summary>
    public int RowCount { get; private set; }

    /// <summary>
    /// Adds the rows of one sequence, positions [first, first + count) of a slot, and takes the blocks that they need. Each slot once.
    /// </summary>
    public void Add(int slot, int first, int count)
    {
        cache.Reserve(slot, first, first + count);
        _spans.Add(new RowSpan(slot, first, count));
        RowCount += count;
    }

    /// <summary>Computes all indices of the pass and puts them on the stage.</summary>
    /// <param name="stage">Where they go.</param>
    /// <param name="logitRows">Rows whose logits are wanted; empty for all.</param>
    public void Stage(IndexStage stage, ReadOnlySpan<long> logitRows)
    {
        _queryCount = _spans.Max(span => span.Count);
        _keyCount = _spans.Max(span => span.First + span.Count);

        var positions = new long[RowCount];
        var cacheRows = new long[RowCount];
        var rowCells = new long[RowCount];
        var lastKeys = new long[_spans.Count * _queryCount];
        var gridRows = new long[_spans.Count * _queryCount];
        var row = 0;
        for (var sequence = 0; sequence < _spans.Count; sequence++)
        {
            var (slot, first, count) = _spans[sequence];
            for (var i = 0; i < count; i++, row++)
            {
                var cell = (sequence * _queryCount) + i;
                positions[row] = first + i;
                cacheRows[row] = cache.Table.PlaceOf(slot, first + i);
                rowCells[row] = cell;
                lastKeys[cell] = first + i;
                gridRows[cell] = row;
            }
        }

        _positions = stage.Add(positions);
        _cacheRows = stage.Add(cacheRows);
        _lastKeys = stage.Add(lastKeys);
        _bounds = stage.Add(Bounds());
        if (!IsGrid(rowCells))
        {
            _gridRows = stage.Add(gridRows);
            _rowCells = stage.Add(rowCells);
        }

        _allLogits = logitRows.IsEmpty;
        _logitRows = stage.Add(logitRows);

        bool IsGrid(long[] cells) => cells.Length == gridRows.Length && !cells.Where((cell, index) => cell != index).Any();
    }

    /// <summary>The pass, once the stage is uploaded. <paramref name="tokenIds"/>: <c>[R] i64</c>.</summary>
    public PassRows Bind(IndexStage stage, Tensor tokenIds) =>
        new()
        {
            TokenIds = tokenIds,
            Positions = stage.Slice(_positions),
            CacheRows = stage.Slice(_cacheRows),
            LastKeys = stage.Slice(_lastKeys).view(_spans.Count, _queryCount),
            Bounds = stage.Slice(_bounds),
            GridRows = _gridRows is { } grid ? stage.Slice(grid) : null,
            RowCells = _rowCells is { } cells ? stage.Slice(cells) : null,
            LogitRows = _allLogits ? null : stage.Slice(_logitRows),
            Table = cache.Table,
            QueryCount = _queryCount,
            KeyCount = _keyCount,
            Spans = _spans,
        };

    /// <summary>See <see cref="PassRows.Bounds"/>.</summary>
    private long[] Bounds()
    {
        var sequences = _spans.Count;
        var bounds = new long[2 * (sequences + 1)];
        for (var i = 0; i < sequences; i++)
        {
            bounds[i + 1] = bounds[i] + _spans[i].Count;
            bounds[sequences + 2 + i] = bounds[sequences + 1 + i] + _spans[i].First + _spans[i].Count;
        }

        return bounds;
    }
}
