namespace Dsde.Templates.Values;

/// <summary>A list. Templates can't change one.</summary>
internal sealed class PyList(IReadOnlyList<object?> items)
{
    public IReadOnlyList<object?> Items { get; } = items;
}
