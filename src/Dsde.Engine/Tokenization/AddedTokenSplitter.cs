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
    public IEnumerable<(string Text, int? Id)> Split(string text)
    {
        var start = 0;
        for (var i = 0; !_texts.IsEmpty && i < text.Length; )
        {
            if (!_texts.TryMatch(text, i, out var id, out var length) || (_tokens[id].IsWholeWord && IsInsideWord(text, i, i + length)))
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
