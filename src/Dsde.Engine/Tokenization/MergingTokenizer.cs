using System.Buffers;
using System.Text;
using Microsoft.ML.Tokenizers;

namespace Dsde.Engine.Tokenization;

/// <summary>
/// What the tokenizers of this project share: text is normalized, cut into words, and each word becomes tokens. Added tokens and markers
/// are found before, by <see cref="ModelTokenizer"/>. Safe for concurrent use.
/// </summary>
/// <param name="bytes">What each token adds to a text, by id.</param>
internal abstract class MergingTokenizer(IReadOnlyDictionary<int, byte[]> bytes) : Microsoft.ML.Tokenizers.Tokenizer
{
    /// <summary>Whether a space at the beginning of decoded text is the normalizer's.</summary>
    protected virtual bool BeginsWithSpace => false;

    /// <inheritdoc/>
    public override string Decode(IEnumerable<int> ids)
    {
        var text = Encoding.UTF8.GetString([.. ids.SelectMany(id => bytes.GetValueOrDefault(id, []))]);
        return BeginsWithSpace && text.StartsWith(' ') ? text[1..] : text;
    }

    /// <inheritdoc/>
    /// <remarks>Stops behind a token with which a character ends, so that the rest can be decoded by itself.</remarks>
    public override OperationStatus Decode(IEnumerable<int> ids, Span<char> destination, out int idsConsumed, out int charsWritten)
    {
        (idsConsumed, charsWritten) = (0, 0);
        var pending = new List<byte>();
        var count = 0;
        foreach (var id in ids)
        {
            count++;
            if (!bytes.TryGetValue(id, out var piece))
            {
                return OperationStatus.InvalidData;
            }

            pending.AddRange(piece);
            if (!EndsWithinCharacter(pending))
            {
                if (!TryWrite(pending, destination, ref charsWritten))
                {
                    return OperationStatus.DestinationTooSmall;
                }

                idsConsumed = count;
                pending.Clear();
            }
        }

        if (!TryWrite(pending, destination, ref charsWritten))
        {
            return OperationStatus.DestinationTooSmall;
        }

        idsConsumed = count;
        return OperationStatus.Done;
    }

    /// <summary>Appends the tokens of a word.</summary>
    /// <param name="word">Not empty.</param>
    /// <param name="start">Where it begins in the normalized text.</param>
    /// <param name="tokens">Takes them.</param>
    protected abstract void EncodeWord(ReadOnlySpan<char> word, int start, TokenList tokens);

    /// <inheritdoc/>
    protected override EncodeResults<EncodedToken> EncodeToTokens(string? text, ReadOnlySpan<char> textSpan, EncodeSettings settings)
    {
        var (tokens, prepared) = Encode(text ?? textSpan.ToString(), settings, keepsPlaces: true);
        return new EncodeResults<EncodedToken>
        {
            Tokens =
            [
                .. tokens.Ids.Zip(
                    tokens.Places,
                    (id, place) => new EncodedToken(id, prepared[place.Start..place.End], new Range(place.Start, place.End))
                ),
            ],
            NormalizedText = prepared,
            CharsConsumed = CountConsumed(tokens, prepared, settings.MaxTokenCount),
        };
    }

    /// <inheritdoc/>
    protected override EncodeResults<int> EncodeToIds(string? text, ReadOnlySpan<char> textSpan, EncodeSettings settings)
    {
        var isLimited = settings.MaxTokenCount < int.MaxValue;
        var (tokens, prepared) = Encode(text ?? textSpan.ToString(), settings, keepsPlaces: isLimited);
        return new EncodeResults<int>
        {
            Tokens = tokens.Ids,
            NormalizedText = prepared,
            CharsConsumed = isLimited ? CountConsumed(tokens, prepared, settings.MaxTokenCount) : prepared.Length,
        };
    }

    /// <inheritdoc/>
    protected override int CountTokens(string? text, ReadOnlySpan<char> textSpan, EncodeSettings settings) =>
        EncodeToIds(text, textSpan, settings).Tokens.Count;

    /// <inheritdoc/>
    protected override int GetIndexByTokenCount(
        string? text,
        ReadOnlySpan<char> textSpan,
        EncodeSettings settings,
        bool fromEnd,
        out string? normalizedText,
        out int tokenCount
    )
    {
        var most = settings.MaxTokenCount;
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(most, nameof(settings));
        var whole = new EncodeSettings
        {
            ConsiderNormalization = settings.ConsiderNormalization,
            ConsiderPreTokenization = settings.ConsiderPreTokenization,
        };
        var (tokens, prepared) = Encode(text ?? textSpan.ToString(), whole, keepsPlaces: true);
        normalizedText = prepared;
        tokenCount = Math.Min(most, tokens.Ids.Count);
        return tokens.Ids.Count <= most ? (fromEnd ? 0 : prepared.Length)
            : fromEnd ? tokens.Places[^most].Start
            : tokens.Places[most - 1].End;
    }

    private (TokenList Tokens, string Prepared) Encode(string text, EncodeSettings settings, bool keepsPlaces)
    {
        var prepared = settings.ConsiderNormalization && Normalizer is { } normalizer ? normalizer.Normalize(text) : text;
        var tokens = new TokenList(keepsPlaces);
        IEnumerable<(int Offset, int Length)> words =
            settings.ConsiderPreTokenization && PreTokenizer is { } splitter ? splitter.PreTokenize(prepared)
            : prepared.Length > 0 ? [(0, prepared.Length)]
            : [];
        foreach (var (offset, length) in words)
        {
            EncodeWord(prepared.AsSpan(offset, length), offset, tokens);
            if (tokens.Ids.Count >= settings.MaxTokenCount)
            {
                break;
            }
        }

        tokens.Truncate(settings.MaxTokenCount);
        return (tokens, prepared);
    }

    private static int CountConsumed(TokenList tokens, string prepared, int most) =>
        tokens.Ids.Count < most ? prepared.Length
        : tokens.Places.Count > 0 ? tokens.Places[^1].End
        : 0;

    private static bool EndsWithinCharacter(List<byte> pending)
    {
        for (var back = 1; back <= Math.Min(3, pending.Count); back++)
        {
            var value = pending[^back];
            if (value >= 0xC0)
            {
                return back
                    < (
                        value >= 0xF0 ? 4
                        : value >= 0xE0 ? 3
                        : 2
                    );
            }

            if (value < 0x80)
            {
                return false;
            }
        }

        return false;
    }

    private static bool TryWrite(List<byte> pending, Span<char> destination, ref int charsWritten)
    {
        var text = Encoding.UTF8.GetString([.. pending]);
        if (!text.AsSpan().TryCopyTo(destination[charsWritten..]))
        {
            return false;
        }

        charsWritten += text.Length;
        return true;
    }
}
