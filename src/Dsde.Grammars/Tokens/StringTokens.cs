using Dsde.Grammars.Automata;

namespace Dsde.Grammars.Tokens;

/// <summary>
/// What the tokens of a vocabulary do in a string of any length, from one of its states on, and how many characters each begins and
/// completes. What they do in a string of so many characters follows from that without another walk, which would be dear: every length
/// near a bound is a state of its own.
/// </summary>
internal sealed class StringTokens
{
    private const int Open = -1;

    private readonly int _wordCount;
    private readonly (int Token, int Begun, int AtEnd)[] _inside;
    private readonly (int Node, int Exit, int Begun, int AtEnd)[] _exits;

    private StringTokens(int wordCount, (int, int, int)[] inside, (int, int, int, int)[] exits)
    {
        _wordCount = wordCount;
        _inside = inside;
        _exits = exits;
        Any = Within(0, null);
    }

    /// <summary>What they do where no bound is within reach.</summary>
    public TerminalTokens Any { get; }

    /// <summary>Walks over the trie from a state of <see cref="BoundedString.Unbounded"/> on.</summary>
    public static StringTokens Find(TokenVocabulary vocabulary, int state)
    {
        var trie = vocabulary.Trie;
        var (inside, exits) = (new List<(int, int, int)>(), new List<(int, int, int, int)>());
        var path = new (int State, int Begun, int Completed)[trie.MaxDepth + 1];
        path[0] = (state, 0, 0);
        for (var node = 0; node < trie.Count; )
        {
            var depth = trie.DepthOf(node);
            var (before, begun, completed) = path[depth];
            var next = BoundedString.Unbounded.Next(before, trie.ValueOf(node));
            if (next < 0)
            {
                node = trie.EndOf(node);
                continue;
            }

            begun += BoundedString.BeginsCharacter(before, next) ? 1 : 0;
            completed += BoundedString.CompletesCharacter(before, next) ? 1 : 0;
            path[depth + 1] = (next, begun, completed);
            var exit = BoundedString.Unbounded.ExitOf(next);
            var atEnd = exit >= 0 ? completed : Open;
            for (var token = trie.TokenAt(node); token >= 0; token = trie.TokenAfter(token))
            {
                inside.Add((token, begun, atEnd));
            }

            if (exit >= 0 && trie.EndOf(node) > node + 1)
            {
                exits.Add((node, exit, begun, atEnd));
            }

            node++;
        }

        return new StringTokens(vocabulary.WordCount, [.. inside], [.. exits]);
    }

    /// <summary>What they do in a string that needs so many characters more and has room for so many.</summary>
    /// <param name="least">Characters still to be completed before it may end; 0 or less for none.</param>
    /// <param name="most">Characters that may still begin; null for any number.</param>
    public TerminalTokens Within(int least, int? most)
    {
        var words = new uint[_wordCount];
        foreach (var (token, begun, atEnd) in _inside)
        {
            if (IsWithin(begun, atEnd))
            {
                words[token >> 5] |= 1u << token;
            }
        }

        return new TerminalTokens(
            TokenSet.Create(words),
            [.. _exits.Where(exit => IsWithin(exit.Begun, exit.AtEnd)).Select(exit => (exit.Node, exit.Exit))]
        );

        bool IsWithin(int begun, int atEnd) => !(begun > most) && (atEnd == Open || atEnd >= least);
    }
}
