namespace Dsde.Templates.Values;

/// <summary>Goes round in some values.</summary>
internal sealed class Cycler(IReadOnlyList<object?> items)
{
    private int _place;

    public object? Current => items[_place];

    public object? Next()
    {
        var current = Current;
        _place = (_place + 1) % items.Count;
        return current;
    }

    public object? Reset()
    {
        _place = 0;
        return null;
    }
}
