using Dsde.Engine.Kv;
using Dsde.Engine.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Passes;

/// <summary>
/// Where in the cache the keys and values lie that a pass writes or attends to, for operators that scatter and gather them. Legend as in
/// <see cref="PassRows"/>; g key heads. Each form is made at the first call and kept.
/// </summary>
internal sealed class KeyPlaces(PassRows rows) : IDisposable
{
    private readonly Dictionary<(int Slot, int Count), Tensor> _bySlot = [];
    private Tensor? _written;
    private Tensor? _grid;
    private Tensor? _ragged;

    /// <summary>Those of the rows, position by position. <c>[R·g] i64</c></summary>
    public Tensor Written(int heads) => _written ??= ByPosition(rows.CacheRows, heads);

    /// <summary>
    /// Those of each sequence, head by head, padded to the most keys with some of its own, which are masked. <c>[N·g·T] i64</c>
    /// </summary>
    public Tensor Grid(int heads) =>
        _grid ??= ByHead(rows.Spans.SelectMany(span => Of(span.Slot, rows.KeyCount)), rows.SequenceCount, heads);

    /// <summary>Those of each sequence, one after the other, position by position. <c>[ΣT·g] i64</c></summary>
    public Tensor Ragged(int heads)
    {
        if (_ragged is null)
        {
            using var scope = NewDisposeScope();
            _ragged = ByPosition(Upload(rows.Spans.SelectMany(span => Of(span.Slot, span.First + span.Count))), heads);
        }

        return _ragged;
    }

    /// <summary>The first of a slot, head by head, padded as above. <c>[g·count] i64</c></summary>
    public Tensor OfSlot(int slot, int count, int heads)
    {
        if (!_bySlot.TryGetValue((slot, count), out var places))
        {
            _bySlot.Add((slot, count), places = ByHead(Of(slot, count), 1, heads));
        }

        return places;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _written?.Dispose();
        _grid?.Dispose();
        _ragged?.Dispose();
        foreach (var places in _bySlot.Values)
        {
            places.Dispose();
        }
    }

    private IEnumerable<long> Of(int slot, int count) => Enumerable.Range(0, count).Select(position => rows.Table.PlaceOf(slot, position));

    private Tensor ByPosition(Tensor places, int heads)
    {
        using var scope = NewDisposeScope();
        return places.unsqueeze(-1).Plus(Heads(heads)).flatten().DetachFromDisposeScope();
    }

    private Tensor ByHead(IEnumerable<long> places, int sequences, int heads)
    {
        using var scope = NewDisposeScope();
        return Upload(places).view(sequences, 1, -1).Plus(Heads(heads).unsqueeze(-1)).flatten().DetachFromDisposeScope();
    }

    /// <summary>From a position's first place to those of its heads. <c>[g] i64</c></summary>
    private Tensor Heads(int heads) => Upload(Enumerable.Range(0, heads).Select(head => (long)head * BlockTable.BlockLength));

    private Tensor Upload(IEnumerable<long> places) => tensor(places.ToArray(), dtype: ScalarType.Int64, device: rows.Positions.device);
}
