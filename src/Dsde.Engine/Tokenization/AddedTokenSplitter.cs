namespace Dsde.Engine.Tokenization;

/// <summary>Finds added tokens in text, at each place the longest, as Hugging Face does.</summary>
internal sealed class AddedTokenSplitter
{
    private readonly TextTrie _texts = new();
    private readonly Dictionary<int, AddedToken> _tokens = [];

    /// <param name="tokens">The tokens to find, by id.</param>
    public AddedTokenSplitter(IEnumerable<KeyValuePair<int, AddedToken>> tokens)
    {
        foreach (var (id, token) in tokens.Where(token => token.Value.Text.Length > 0))
        {
            _texts.Add(token.Text, id);
            _tokens.Add(id, token);
        }
    }

    /// <summary>The parts of a text in order: text, or an added token's id with no text. Parts are not empty.</summary>
    /// <param name="text">The text.</param>
    /// <param name="permits">Whether a token (its id) may stand at a place (its start and length); null permits all.</param>
    public IEnumerable<(string Text, int? Id)> Split(string text, Func<int, int, int, bool>? permits = null)
    {
        var start = 0;
        for (var i = 0; !_texts.IsEmpty && i < text.Length; )
        {
            if (!TryMatch(text, i, permits, out var id, out var length) || (_tokens[id].IsWholeWord && IsInsideWord(text, i, i + length)))
            {
                i++;
                continue;
            }

            var end = _tokens[id].StripsLeft ? TrimEnd(text, start, i) : i;
            if (end > start)
            {
                yield return (text[start..end], null);
            }

            yield return ("", id);
            i += length;
            while (_tokens[id].StripsRight && i < text.Length && char.IsWhiteSpace(text[i]))
            {
                i++;
            }

            start = i;
        }

        if (start < text.Length)
        {
            yield return (start == 0 ? text : text[start..], null);
        }
    }

    /// <summary>The longest permitted token at a place.</summary>
    private bool TryMatch(string text, int start, Func<int, int, int, bool>? permits, out int id, out int length)
    {
        if (_texts.TryMatch(text, start, out id, out length) && permits?.Invoke(id, start, length) == false)
        {
            (id, length) = _texts.Matches(text, start).LastOrDefault(match => permits(match.Value, start, match.Length));
        }

        return length > 0;
    }

    private static bool IsInsideWord(string text, int start, int end) =>
        (start > 0 && IsWord(text[start - 1])) || (end < text.Length && IsWord(text[end]));

    private static bool IsWord(char character) => char.IsLetterOrDigit(character) || character == '_';

    private static int TrimEnd(string text, int start, int end)
    {
        while (end > start && char.IsWhiteSpace(text[end - 1]))
        {
            end--;
        }

        return end;
    }
}
