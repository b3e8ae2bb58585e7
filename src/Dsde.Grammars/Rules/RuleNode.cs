using Dsde.Grammars.Automata;

namespace Dsde.Grammars.Rules;

/// <summary>
/// A place within a rule, and what may follow there. Rules are the part of a grammar that may be recursive: a stack of places remembers
/// what goes on when a rule has ended.
/// </summary>
internal sealed class RuleNode
{
    /// <summary>What <see cref="Height"/> is of a place from which no end can be reached.</summary>
    public const int Endless = int.MaxValue;

    private readonly List<(Pattern Pattern, RuleNode Target)> _patterns = [];
    private readonly List<(Terminal Terminal, RuleNode Target)> _terminals = [];
    private readonly List<(RuleNode Start, RuleNode Target)> _calls = [];

    /// <summary>Whether the rule may end here.</summary>
    public bool IsEnd { get; init; }

    /// <summary>How many rules have to be entered inside one another at least, to get from here to the end.</summary>
    public int Height { get; private set; } = Endless;

    /// <summary>What may follow, once <see cref="Settle"/> has run.</summary>
    public IReadOnlyList<RuleEdge> Edges { get; private set; } = [];

    /// <summary>A string of a pattern may follow. Patterns of one node share an automaton: none may match a string of another.</summary>
    public void Add(Pattern pattern, RuleNode target) => _patterns.Add((pattern, target));

    /// <summary>A string of an automaton may follow.</summary>
    public void Add(Terminal terminal, RuleNode target) => _terminals.Add((terminal, target));

    /// <summary>All of a rule may follow.</summary>
    /// <param name="start">Where the rule begins.</param>
    /// <param name="target">Where it goes on behind.</param>
    public void AddCall(RuleNode start, RuleNode target) => _calls.Add((start, target));

    /// <summary>Looks at the heights of what follows. False if nothing has changed.</summary>
    public bool LowerHeight()
    {
        var height = IsEnd ? 0 : Endless;
        foreach (var (_, target) in _patterns)
        {
            height = Math.Min(height, target.Height);
        }

        foreach (var (_, target) in _terminals)
        {
            height = Math.Min(height, target.Height);
        }

        foreach (var (start, target) in _calls)
        {
            height = Math.Min(height, HeightOf(start, target));
        }

        var isLower = height < Height;
        Height = Math.Min(Height, height);
        return isLower;
    }

    /// <summary>Makes edges of what was added, without those that lead nowhere.</summary>
    /// <returns>States of the automata made.</returns>
    /// <exception cref="TooLargeException">An automaton would have too many states.</exception>
    public int Settle()
    {
        var states = 0;
        var edges = new List<RuleEdge>();
        foreach (var group in _patterns.Where(entry => entry.Target.Height < Endless).GroupBy(entry => entry.Target.Height))
        {
            // One automaton for all that may be entered at the same depths.
            var targets = group.Select(entry => entry.Target).Distinct().ToArray();
            var patterns = targets.Select(target =>
                Merge([.. group.Where(entry => entry.Target == target).Select(entry => entry.Pattern)])
            );
            if (PatternCompiler.Compile([.. patterns]) is { } automaton)
            {
                states += automaton.StateCount;
                edges.Add(new RuleEdge.Terminals(automaton, targets, group.Key));
            }
        }

        edges.AddRange(
            _terminals
                .Where(entry => entry.Target.Height < Endless)
                .Select(entry => new RuleEdge.Terminals(entry.Terminal, [entry.Target], entry.Target.Height))
        );
        edges.AddRange(
            _calls
                .Where(entry => HeightOf(entry.Start, entry.Target) < Endless)
                .Select(entry => new RuleEdge.Call(entry.Start, entry.Target, HeightOf(entry.Start, entry.Target)))
        );
        Edges = edges;
        return states;
    }

    private static Pattern Merge(Pattern[] patterns) => patterns.Length == 1 ? patterns[0] : new Pattern.Choice(patterns);

    private static int HeightOf(RuleNode start, RuleNode target) =>
        start.Height == Endless || target.Height == Endless ? Endless : Math.Max(start.Height + 1, target.Height);
}
