using Dsde.Engine.Kv;
using Dsde.Engine.Models.Operators.Attention;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Passes;

/// <summary>
/// The packed rows of one forward pass and where they go. Rows of a sequence are adjacent and in order; sequences may have any number of
/// them. Legend: R rows, N sequences with rows, Q most rows of a sequence, T most keys of one.
/// </summary>
internal sealed class PassRows : IDisposable
{
    private readonly AttentionMasks _masks = new();
    private KeyPlaces? _places;
    private RaggedIndices? _ragged;

    /// <summary>Input token of each row. <c>[R] i64</c></summary>
    public required Tensor TokenIds { get; init; }

    /// <summary>Position of each row in its sequence. <c>[R] i64</c></summary>
    public required Tensor Positions { get; init; }

    /// <summary>Where each row's first key and value are kept: a place of the cache. <c>[R] i64</c></summary>
    public required Tensor CacheRows { get; init; }

    /// <summary>Last position each cell of the padded query grid may attend to; 0 in unused cells. <c>[N, Q] i64</c></summary>
    public required Tensor LastKeys { get; init; }

    /// <summary>
    /// For attention that takes sequences of any length: first row of each sequence and R at the end; first key of each among all their
    /// keys and the number of these at the end. Side by side, <c>[2·(N + 1)] i64</c>.
    /// </summary>
    public required Tensor Bounds { get; init; }

    /// <summary>
    /// For each cell of the padded grid the packed row it shows, 0 in unused cells; null if rows already are the grid. <c>[N·Q] i64</c>
    /// </summary>
    public Tensor? GridRows { get; init; }

    /// <summary>For each packed row its cell in the padded grid; null as above. <c>[R] i64</c></summary>
    public Tensor? RowCells { get; init; }

    /// <summary>Rows whose logits are wanted; null for all. <c>[n] i64</c></summary>
    public Tensor? LogitRows { get; init; }

    /// <summary>Rows (R).</summary>
    public int RowCount => (int)Positions.size(0);

    /// <summary>Which blocks of the cache hold which positions of a slot.</summary>
    public required BlockTable Table { get; init; }

    /// <summary>Sequences with rows (N).</summary>
    public int SequenceCount => Spans.Count;

    /// <summary>Most rows of a sequence (Q).</summary>
    public required int QueryCount { get; init; }

    /// <summary>Keys attended (T): the longest sequence after this pass.</summary>
    public required int KeyCount { get; init; }

    /// <summary>The same on the host: which slots have how many rows from which position, in the order of the rows.</summary>
    public required IReadOnlyList<RowSpan> Spans { get; init; }

    /// <summary>
    /// 0 where a query may look and −∞ elsewhere, <c>[N, 1, Q·h/g, T]</c>; null if every query sees all keys. Made at the first call and
    /// kept: layers of the same window have the same.
    /// </summary>
    /// <param name="headsPerGroup">Query heads of a key head (h/g).</param>
    /// <param name="type">Type of the mask.</param>
    /// <param name="window">Most recent positions seen, the row's own included; null for all.</param>
    public Tensor? Mask(int headsPerGroup, ScalarType type, int? window = null) => _masks.Find(this, headsPerGroup, type, window);

    /// <summary>Where the keys and values lie that the rows attend to; kept once it was asked for.</summary>
    public KeyPlaces Places => _places ??= new KeyPlaces(this);

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
            Table = Table,
            QueryCount = QueryCount,
            KeyCount = KeyCount,
            Spans = Spans,
        };

    /// <inheritdoc/>
    public void Dispose()
    {
        _masks.Dispose();
        _places?.Dispose();
        _ragged?.Dispose();
    }
}

/// <summary>Rows of one slot: positions [First, First + Count).</summary>
internal readonly record struct RowSpan(int Slot, int First, int Count);
