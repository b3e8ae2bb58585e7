using Dsde.Grammars.Automata;

namespace Dsde.Grammars.Rules;

/// <summary>What may follow at a place of a rule.</summary>
/// <param name="Height">How many rules have to be entered inside one another at least, from here to the rule's end.</param>
internal abstract record RuleEdge(int Height)
{
    /// <summary>A string of an automaton, and the place behind each of its ends.</summary>
    public sealed record Terminals(Terminal Terminal, RuleNode[] Targets, int Height) : RuleEdge(Height);

    /// <summary>All of a rule.</summary>
    public sealed record Call(RuleNode Start, RuleNode Target, int Height) : RuleEdge(Height);
}
