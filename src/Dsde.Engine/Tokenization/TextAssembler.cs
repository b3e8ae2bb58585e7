using System.Text;

namespace Dsde.Engine.Tokenization;

/// <summary>
/// Text of tokens as they come. Characters whose bytes are spread over tokens appear when they are whole; what is broken, or not whole at
/// the end, becomes U+FFFD. Looks for stop strings in what is new only, so that the work is linear in the text.
/// </summary>
internal sealed class TextAssembler(ModelTokenizer tokenizer, IReadOnlyList<string> stopStrings) : ITextAssembler
{
    private readonly StringBuilder _text = new();
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private readonly int _longestStop = stopStrings.Select(stop => stop.Length).DefaultIfEmpty(0).Max();
    private bool _ended;

    /// <inheritdoc/>
    public string Text
    {
        get
        {
            if (!_ended)
            {
                Decode([], flush: true);
                _ended = true;
            }

            return _text.ToString();
        }
    }

    /// <inheritdoc/>
    public bool Append(int tokenId)
    {
        var before = _text.Length;
        Decode(tokenizer.TextBytesOf(tokenId), flush: false);
        return _longestStop > 0 && _text.Length > before && CutAtStop(Math.Max(0, before - _longestStop + 1));
    }

    private void Decode(ReadOnlySpan<byte> bytes, bool flush)
    {
        Span<char> characters = stackalloc char[Math.Min(256, bytes.Length + 4)];
        bool completed;
        do
        {
            _decoder.Convert(bytes, characters, flush, out var used, out var written, out completed);
            _text.Append(characters[..written]);
            bytes = bytes[used..];
        } while (!completed);
    }

    /// <summary>Of several stop strings the one that begins first counts.</summary>
    private bool CutAtStop(int searchFrom)
    {
        var tail = _text.ToString(searchFrom, _text.Length - searchFrom);
        var first = -1;
        foreach (var stop in stopStrings)
        {
            var found = tail.IndexOf(stop, StringComparison.Ordinal);
            first = found >= 0 && (first < 0 || found < first) ? found : first;
        }

        if (first < 0)
        {
            return false;
        }

        _text.Length = searchFrom + first;
        _ended = true;
        return true;
    }
}
