using Dsde.Engine.Models.Operators.Attention;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Passes;

/// <summary>
/// The packed rows of one forward pass and where they go. Rows of a sequence are adjacent and in order; sequences may have any number of
/// them. Legend: R rows, S slots attended, Q most rows of a slot, T keys attended, N sequences with rows.
/// </summary>
internal sealed class PassRows : IDisposable
{
    private readonly AttentionMasks _masks = new();
    private RaggedIndices? _ragged;

    /// <summary>Input token of each row. <c>[R] i64</c></summary>
    public required Tensor TokenIds { get; init; }

    /// <summary>Position of each row in its sequence. <c>[R] i64</c></summary>
    public required Tensor Positions { get; init; }

    /// <summary>Where each row's key and value are kept: slot · max length + position. <c>[R] i64</c></summary>
    public required Tensor CacheRows { get; init; }

    /// <summary>Last position each cell of the padded query grid may attend to; 0 in unused cells. <c>[S, Q] i64</c></summary>
    public required Tensor LastKeys { get; init; }

    /// <summary>
    /// For attention that takes sequences of any length: first row of each sequence and R at the end, <c>[N + 1]</c>; first place of each
    /// in the cache and one more number, <c>[N + 1]</c>; positions of each after this pass, <c>[N]</c>. Side by side, <c>[3·N + 2] i64</c>.
    /// </summary>
    public required Tensor Bounds { get; init; }

    /// <summary>
    /// For each cell of the padded grid the packed row it shows, 0 in unused cells; null if rows already are the grid. <c>[S·Q] i64</c>
    /// </summary>
    public Tensor? GridRows { get; init; }

    /// <summary>For each packed row its cell in the padded grid; null as above. <c>[R] i64</c></summary>
    public Tensor? RowCells { get; init; }

    /// <summary>Rows whose logits are wanted; null for all. <c>[n] i64</c></summary>
    public Tensor? LogitRows { get; init; }

    /// <summary>Rows (R).</summary>
    public int RowCount => (int)Positions.size(0);

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
    /// 0 where a query may look and −∞ elsewhere, <c>[S, 1, Q·h/g, T]</c>; null if every query sees all keys. Made at the first call and
    /// kept: layers of the same window have the same.
    /// </summary>
    /// <param name="headsPerGroup">Query heads of a key head (h/g).</param>
    /// <param name="type">Type of the mask.</param>
    /// <param name="window">Most recent positions seen, the row's own included; null for all.</param>
    public Tensor? Mask(int headsPerGroup, ScalarType type, int? window = null) => _masks.Find(this, headsPerGroup, type, window);

    /// <summary><see cref="Bounds"/> as the ragged attention kernel takes them; made at the first call and kept.</summary>
    public RaggedIndices Ragged => _ragged ??= RaggedIndices.Create(this);

    /// <summary>The same rows on another device, in the caller's scope.</summary>
    public PassRows CopyTo(Device device) =>
        new()
        {
            TokenIds = TokenIds.to(device),
            Positions = Positions.to(device),
            CacheRows = CacheRows.to(device),
            LastKeys = LastKeys.to(device),
            Bounds = Bounds.to(device),
            GridRows = GridRows?.to(device),
            RowCells = RowCells?.to(device),
            LogitRows = LogitRows?.to(device),
            FirstSlot = FirstSlot,
            SlotCount = SlotCount,
            QueryCount = QueryCount,
            KeyCount = KeyCount,
            Spans = Spans,
        };

    /// <inheritdoc/>
    public void Dispose()
    {
        _masks.Dispose();
        _ragged?.Dispose();
    }
}

/// <summary>Rows of one slot: positions [First, First + Count).</summary>
internal readonly record struct RowSpan(int Slot, int First, int Count);
