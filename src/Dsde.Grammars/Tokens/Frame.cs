using Dsde.Grammars.Rules;

namespace Dsde.Grammars.Tokens;

/// <summary>A rule that has been entered: where it goes on behind, and what it was entered from. Equal ones are one object.</summary>
/// <param name="parent">The rule around; null for the outermost.</param>
/// <param name="target">Where that goes on.</param>
internal sealed class Frame(Frame? parent, RuleNode? target)
{
    /// <summary>The rule around; null for the outermost.</summary>
    public Frame? Parent => parent;

    /// <summary>Where the rule around goes on; null for the outermost.</summary>
    public RuleNode? Target => target;

    /// <summary>How many rules are around.</summary>
    public int Depth { get; } = parent is null ? 0 : parent.Depth + 1;
}
