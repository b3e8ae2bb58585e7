using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Models;

/// <summary>
/// The packed rows of one forward pass and where they go. Rows of a sequence are adjacent and in order; sequences may have any number of them.
/// Legend: R rows, S slots attended, Q most rows of a slot, T keys attended.
/// </summary>
internal sealed class PassRows : IDisposable
{
    private Tensor? _mask;

    /// <summary>Input token of each row. <c>[R] i64</c></summary>
    public required Tensor TokenIds { get; init; }

    /// <summary>Position of each row in its sequence. <c>[R] i64</c></summary>
    public required Tensor Positions { get; init; }

    /// <summary>Where each row's key and value are kept: slot · max length + position. <c>[R] i64</c></summary>
    public required Tensor CacheRows { get; init; }

    /// <summary>Last position each cell of the padded query grid may attend to; 0 in unused cells. <c>[S, Q] i64</c></summary>
    public required Tensor LastKeys { get; init; }

    /// <summary>For each cell of the padded grid the packed row it shows, 0 in unused cells; null if rows already are the grid. <c>[S·Q] i64</c></summary>
    public Tensor? GridRows { get; init; }

    /// <summary>For each packed row its cell in the padded grid; null as above. <c>[R] i64</c></summary>
    public Tensor? RowCells { get; init; }

    /// <summary>Rows whose logits are wanted; null for all. <c>[n] i64</c></summary>
    public Tensor? LogitRows { get; init; }

    /// <summary>First slot attended.</summary>
    public required int FirstSlot { get; init; }

    /// <summary>Slots attended (S).</summary>
    public required int SlotCount { get; init; }

    /// <summary>Most rows of a slot (Q).</summary>
    public required int QueryCount { get; init; }

    /// <summary>Keys attended (T): the longest sequence after this pass.</summary>
    public required int KeyCount { get; init; }

    /// <summary>The same on the host: which slots have how many rows from which position, in the order of the rows.</summary>
    public required IReadOnlyList<RowSpan> Spans { get; init; }

    /// <summary>
    /// 0 where a query may look and −∞ elsewhere, <c>[S, 1, Q·h/g, T]</c>; null if one query sees all keys. Made at the first call and kept: every
    /// layer of a pass has the same.
    /// </summary>
    public Tensor? Mask(int headsPerGroup, ScalarType type)
    {
        if (SlotCount == 1 && QueryCount == 1)
        {
            return null;
        }

        return _mask ??= MakeMask(headsPerGroup, type);
    }

    /// <inheritdoc/>
    public void Dispose() => _mask?.Dispose();

    private Tensor MakeMask(int headsPerGroup, ScalarType type)
    {
        using var scope = NewDisposeScope();
        var hidden = arange(KeyCount, dtype: ScalarType.Int64, device: LastKeys.device) > LastKeys.unsqueeze(-1); // [S, Q, T]
        var mask = zeros(hidden.shape, dtype: type, device: LastKeys.device).masked_fill_(hidden, double.NegativeInfinity);
        return mask.repeat_interleave(headsPerGroup, 1).unsqueeze(1).DetachFromDisposeScope();
    }
}

/// <summary>Rows of one slot: positions [First, First + Count).</summary>
internal readonly record struct RowSpan(int Slot, int First, int Count);
