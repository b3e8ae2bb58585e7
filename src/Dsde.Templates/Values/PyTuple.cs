namespace Dsde.Templates.Values;

/// <summary>A tuple; its items may have names, as the groups of <c>groupby</c> do.</summary>
internal sealed class PyTuple(IReadOnlyList<object?> items, params string[] names)
{
    public IReadOnlyList<object?> Items { get; } = items;

    public IReadOnlyList<string> Names { get; } = names;
}
