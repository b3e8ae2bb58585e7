using Dsde.Grammars.Automata;

namespace Dsde.Grammars.Rules;

/// <summary>The places of a grammar's rules while they are being made.</summary>
internal sealed class RuleSet
{
    private readonly List<RuleNode> _nodes = [];
    private readonly List<(RuleNode Node, string Place)> _named = [];

    /// <summary>A new place.</summary>
    /// <exception cref="TooLargeException">There are too many.</exception>
    public RuleNode AddNode(bool isEnd = false)
    {
        if (_nodes.Count >= GrammarLimits.MaxRuleNodes)
        {
            throw new TooLargeException();
        }

        var node = new RuleNode { IsEnd = isEnd };
        _nodes.Add(node);
        return node;
    }

    /// <summary>Says where in the definition a rule begins, for messages.</summary>
    public void Name(RuleNode start, string place) => _named.Add((start, place));

    /// <summary>Finishes all places.</summary>
    /// <exception cref="GrammarException">A rule can't end, or nests deeper than an output may, or all is too large.</exception>
    public void Settle()
    {
        for (var isLower = true; isLower; )
        {
            isLower = false;
            for (var i = _nodes.Count - 1; i >= 0; i--)
            {
                isLower |= _nodes[i].LowerHeight();
            }
        }

        foreach (var (node, place) in _named)
        {
            if (node.Height == RuleNode.Endless)
            {
                throw new GrammarException(place, "has no finite value: something in it is required that has none, or contains it again.");
            }
        }

        var states = 0;
        foreach (var node in _nodes)
        {
            states += node.Settle();
            if (states > GrammarLimits.MaxTotalStates)
            {
                throw new TooLargeException();
            }
        }
    }
}
