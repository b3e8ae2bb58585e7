using Dsde.Grammars;
using Dsde.Grammars.Tokens;

namespace Dsde.Engine.Sampling;

/// <summary>The grammars in use, in the model's tokens: jobs of one kind share theirs, and what is known of it. Safe for concurrent use.
/// </summary>
/// <param name="bytesOf">What each id adds to a text.</param>
internal sealed class TokenGrammars(Func<byte[][]> bytesOf)
{
    /// <summary>Most that are kept; the one that was not asked for the longest goes.</summary>
    private const int Most = 16;

    private readonly Lazy<TokenVocabulary> _vocabulary = new(() => new TokenVocabulary(bytesOf()));
    private readonly List<(GrammarDefinition Definition, int[] EndTokens, Lazy<TokenGrammar> Grammar)> _known = []; // the latest last
    private readonly Lock _lock = new();

    /// <summary>A grammar with the tokens that end its outputs.</summary>
    /// <exception cref="ArgumentException">The model has no token to begin with.</exception>
    public TokenGrammar Find(Grammar grammar, IEnumerable<int> endTokens)
    {
        int[] ends = [.. endTokens.Order()];
        Lazy<TokenGrammar> found;
        lock (_lock)
        {
            var place = _known.FindIndex(entry => entry.Definition == grammar.Definition && entry.EndTokens.SequenceEqual(ends));
            var entry =
                place >= 0 ? _known[place] : (grammar.Definition, ends, new(() => new TokenGrammar(grammar, _vocabulary.Value, ends)));
            if (place >= 0)
            {
                _known.RemoveAt(place);
            }
            else if (_known.Count == Most)
            {
                _known.RemoveAt(0);
            }

            _known.Add(entry);
            found = entry.Grammar;
        }

        var tokens = found.Value;
        return tokens.Start.IsComplete || tokens.Allowed(tokens.Start).Count == 0
            ? throw new ArgumentException("The grammar allows nothing but an empty output, or the model has no token to begin with.")
            : tokens;
    }
}
