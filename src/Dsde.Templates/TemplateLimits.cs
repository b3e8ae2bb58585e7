namespace Dsde.Templates;

/// <summary>How much a template may do. Templates come with models, from strangers: one that runs away ends with an error.</summary>
public sealed record TemplateLimits
{
    /// <summary>Steps of a rendering: evaluated expressions and statements, items of lists, and 16 characters of text each.</summary>
    /// <value>20,000,000: a few seconds.</value>
    public long MaxSteps { get; init; } = 20_000_000;

    /// <summary>Depth of expressions, blocks and calls within each other.</summary>
    /// <value>200.</value>
    public int MaxDepth { get; init; } = 200;

    /// <summary>Characters of the output, and of any text on the way to it.</summary>
    /// <value>16 Mi.</value>
    public int MaxTextLength { get; init; } = 16 << 20;
}
