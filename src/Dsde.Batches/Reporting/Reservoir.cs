namespace Dsde.Batches.Reporting;

/// <summary>A fair sample of bounded size of a stream of unknown length (Vitter's algorithm R), the same for the same stream.</summary>
internal sealed class Reservoir<T>(int size)
{
    private readonly List<T> _items = [];
    private readonly Random _random = new(0);
    private int _seen;

    public IReadOnlyList<T> Items => _items;

    public void Offer(T item)
    {
        _seen++;
        if (_items.Count < size)
        {
            _items.Add(item);
        }
        else if (_random.Next(_seen) is var place && place < size)
        {
            _items[place] = item;
        }
    }
}
