namespace Dsde.Templates.Values;

/// <summary>What a mapping's <c>keys</c>, <c>values</c> or <c>items</c> give: sized, but without indexes.</summary>
/// <param name="Name">Python's name of the kind.</param>
/// <param name="Items">What it shows.</param>
internal sealed record DictView(string Name, IReadOnlyList<object?> Items);
