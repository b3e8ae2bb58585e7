using Dsde.Grammars.Automata;

namespace Dsde.Grammars.Tokens;

/// <summary>Walks over the trie with an automaton.</summary>
internal static class TerminalWalk
{
    /// <summary>What all tokens do from a state on.</summary>
    public static TerminalTokens Run(TokenVocabulary vocabulary, Terminal terminal, int state)
    {
        var trie = vocabulary.Trie;
        var words = new uint[vocabulary.WordCount];
        var exits = new List<(int, int)>();
        var states = new int[trie.MaxDepth + 1];
        states[0] = state;
        for (var node = 0; node < trie.Count; )
        {
            var depth = trie.DepthOf(node);
            var next = terminal.Next(states[depth], trie.ValueOf(node));
            if (next < 0)
            {
                node = trie.EndOf(node);
                continue;
            }

            states[depth + 1] = next;
            for (var token = trie.TokenAt(node); token >= 0; token = trie.TokenAfter(token))
            {
                words[token >> 5] |= 1u << token;
            }

            if (terminal.ExitOf(next) is >= 0 and var exit && trie.EndOf(node) > node + 1)
            {
                exits.Add((node, exit));
            }

            node++;
        }

        return new TerminalTokens(TokenSet.Create(words), [.. exits]);
    }
}
