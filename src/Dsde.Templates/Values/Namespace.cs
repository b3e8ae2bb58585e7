namespace Dsde.Templates.Values;

/// <summary>The only thing whose attributes a template may set.</summary>
internal sealed class Namespace
{
    public Dictionary<string, object?> Attributes { get; } = new(StringComparer.Ordinal);
}
