using Dsde.Templates.Values;

namespace Dsde.Templates;

/// <summary>
/// What a template wrote. Each character is known to come from the template (its own text, and variables that belong to it) or from data
/// that it was given, so that data can't pose as the template's markers.
/// </summary>
public sealed class RenderedText
{
    private readonly Text _text;

    internal RenderedText(Text text) => _text = text;

    /// <summary>The text.</summary>
    public string Value => _text.Value;

    /// <summary>Whether all of a range was written by the template.</summary>
    /// <param name="start">Its first character.</param>
    /// <param name="length">Its length, in UTF-16 code units.</param>
    public bool IsFromTemplate(int start, int length) => _text.Origin.IsTemplate(start, length);

    /// <inheritdoc/>
    public override string ToString() => Value;
}
