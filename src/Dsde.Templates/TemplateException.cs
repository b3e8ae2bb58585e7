namespace Dsde.Templates;

/// <summary>A template can't be read, or refuses what it was given, or goes wrong with it.</summary>
public sealed class TemplateException : Exception
{
    /// <param name="message">What is wrong, without the line.</param>
    public TemplateException(string message)
        : base(message) { }

    /// <param name="line">Line of the template, from 1.</param>
    /// <param name="message">What is wrong, without the line.</param>
    public TemplateException(int line, string message)
        : base(message) => Line = line;

    /// <summary>Line of the template, from 1; null where none is to blame.</summary>
    public int? Line { get; private set; }

    /// <summary>Whether the template said so itself, by <c>raise_exception</c>.</summary>
    public bool IsRaisedByTemplate { get; init; }

    /// <summary>Whether the template takes more than its limits allow.</summary>
    public bool IsLimit { get; init; }

    /// <summary>Says where it happened, unless that is known.</summary>
    internal TemplateException At(int line)
    {
        Line ??= line;
        return this;
    }
}
