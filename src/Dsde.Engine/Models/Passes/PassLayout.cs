using static TorchSharp.torch;

namespace Dsde.Engine.Models.Passes;

/// <summary>
/// Plans a pass on the host: which slots get how many rows from which position. Then <see cref="Stage"/>, upload, <see cref="Bind"/>.
/// </summary>
internal sealed class PassLayout(int maxLength)
{
    private readonly List<RowSpan> _spans = [];
    private (int, int) _positions,
        _cacheRows,
        _lastKeys,
        _bounds,
        _logitRows;
    private (int, int)? _gridRows,
        _rowCells;
    private int _firstSlot,
        _slotCount,
        _queryCount,
        _keyCount;
    private bool _allLogits;

    /// <summary>Rows so far (R).</summary>
    public int RowCount { get; private set; }

    /// <summary>Adds the rows of one sequence: positions [first, first + count) of a slot. Each slot once.</summary>
    public void Add(int slot, int first, int count)
    {
        _spans.Add(new RowSpan(slot, first, count));
        RowCount += count;
    }

    /// <summary>Computes all indices of the pass and puts them on the stage.</summary>
    /// <param name="stage">Where they go.</param>
    /// <param name="logitRows">Rows whose logits are wanted; empty for all.</param>
    public void Stage(IndexStage stage, ReadOnlySpan<long> logitRows)
    {
        _firstSlot = _spans.Min(span => span.Slot);
        _slotCount = _spans.Max(span => span.Slot) - _firstSlot + 1;
        _queryCount = _spans.Max(span => span.Count);
        _keyCount = _spans.Max(span => span.First + span.Count);

        var positions = new long[RowCount];
        var cacheRows = new long[RowCount];
        var rowCells = new long[RowCount];
        var lastKeys = new long[_slotCount * _queryCount];
        var gridRows = new long[_slotCount * _queryCount];
        var row = 0;
        foreach (var (slot, first, count) in _spans)
        {
            for (var i = 0; i < count; i++, row++)
            {
                var cell = ((slot - _firstSlot) * _queryCount) + i;
                positions[row] = first + i;
                cacheRows[row] = ((long)slot * maxLength) + first + i;
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
            LastKeys = stage.Slice(_lastKeys).view(_slotCount, _queryCount),
            Bounds = stage.Slice(_bounds),
            GridRows = _gridRows is { } grid ? stage.Slice(grid) : null,
            RowCells = _rowCells is { } cells ? stage.Slice(cells) : null,
            LogitRows = _allLogits ? null : stage.Slice(_logitRows),
            FirstSlot = _firstSlot,
            SlotCount = _slotCount,
            QueryCount = _queryCount,
            KeyCount = _keyCount,
            Spans = _spans,
        };

    /// <summary>See <see cref="PassRows.Bounds"/>.</summary>
    private long[] Bounds()
    {
        var sequences = _spans.Count;
        var bounds = new long[(3 * sequences) + 2];
        for (var i = 0; i < sequences; i++)
        {
            bounds[i + 1] = bounds[i] + _spans[i].Count;
            bounds[sequences + 1 + i] = (long)_spans[i].Slot * maxLength;
            bounds[(2 * sequences) + 2 + i] = _spans[i].First + _spans[i].Count;
        }

        bounds[(2 * sequences) + 1] = bounds[2 * sequences] + maxLength;
        return bounds;
    }
}
