using TorchSharp;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Passes;

/// <summary>
/// Where in the cache the keys and values lie that a pass attends to, for attention that gathers them. Legend as in <see cref="PassRows"/>.
/// Each form is made at the first call and kept.
/// </summary>
internal sealed class KeyPlaces(PassRows rows) : IDisposable
{
    private readonly Dictionary<(int Slot, int Count), Tensor> _bySlot = [];
    private Tensor? _grid;
    private Tensor? _ragged;

    /// <summary>
    /// Those of each sequence, padded to the most keys with some of its own, which are masked. <c>[N·T] i64</c>
    /// </summary>
    public Tensor Grid => _grid ??= Upload(rows.Spans.SelectMany(span => Of(span.Slot, rows.KeyCount)));

    /// <summary>Those of each sequence, one after the other. <c>[ΣT] i64</c></summary>
    public Tensor Ragged => _ragged ??= Upload(rows.Spans.SelectMany(span => Of(span.Slot, span.First + span.Count)));

    /// <summary>The first of a slot, padded as above. <c>[count] i64</c></summary>
    public Tensor OfSlot(int slot, int count)
    {
        if (!_bySlot.TryGetValue((slot, count), out var places))
        {
            _bySlot.Add((slot, count), places = Upload(Of(slot, count)));
        }

        return places;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _grid?.Dispose();
        _ragged?.Dispose();
        foreach (var places in _bySlot.Values)
        {
            places.Dispose();
        }
    }

    private IEnumerable<long> Of(int slot, int count) => Enumerable.Range(0, count).Select(position => rows.Table.PlaceOf(slot, position));

    private Tensor Upload(IEnumerable<long> places) =>
        tensor(places.ToArray(), dtype: ScalarType.Int64, device: rows.Positions.device).DetachFromDisposeScope();
}
