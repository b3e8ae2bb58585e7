namespace Dsde.Grammars;

/// <summary>What a grammar may ask of memory and time. A definition beyond is refused.</summary>
internal static class GrammarLimits
{
    /// <summary>Longest definition, in characters.</summary>
    public const int MaxTextLength = 256 << 10;

    /// <summary>Most nodes of an automaton before it is made deterministic: what a bounded repetition is unrolled to.</summary>
    public const int MaxNfaNodes = 200_000;

    /// <summary>Most states of one deterministic automaton.</summary>
    public const int MaxStates = 30_000;

    /// <summary>Most nodes of all rules together.</summary>
    public const int MaxRuleNodes = 50_000;

    /// <summary>Most states of all automata of a grammar together.</summary>
    public const int MaxTotalStates = 400_000;

    /// <summary>Deepest nesting of objects and arrays in an output: what common parsers read unless told otherwise.</summary>
    public const int MaxDepth = 64;

    /// <summary>Deepest nesting of a schema, or of groups in an expression.</summary>
    public const int MaxDefinitionDepth = 128;
}
