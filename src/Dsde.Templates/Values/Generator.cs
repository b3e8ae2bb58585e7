namespace Dsde.Templates.Values;

/// <summary>Items that come one by one and only once. It is true, even without any, and has no length.</summary>
internal sealed class Generator(IEnumerable<object?> items) : IDisposable
{
    private readonly IEnumerator<object?> _items = items.GetEnumerator();

    public IEnumerable<object?> Take()
    {
        while (_items.MoveNext())
        {
            yield return _items.Current;
        }
    }

    public void Dispose() => _items.Dispose();
}
