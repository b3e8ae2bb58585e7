using System.Buffers;
using System.Text;
using Microsoft.ML.Tokenizers;

namespace Dsde.Engine.Tokenization;

/// <summary>
/// Byte-level BPE (Radford et al. 2019) as GPT-2, Llama 3 and Qwen have it: text is cut into words, and bytes merge within words.
/// </summary>
/// <param name="bytes">What each token adds to a text, by id.</param>
/// <param name="merges">Merges by id.</param>
/// <param name="byteIds">Ids of the 256 bytes.</param>
/// <param name="wholeWords">Ids by text in the byte alphabet, for models that take a word they have without merging
/// (<c>ignore_merges</c>); otherwise null.</param>
/// <param name="splitter">Cuts text into words.</param>
/// <param name="normalizer">What is done to text before.</param>
internal sealed class ByteLevelTokenizer(
    IReadOnlyDictionary<int, byte[]> bytes,
    MergeTable merges,
    int[] byteIds,
    Dictionary<string, int>? wholeWords,
    PreTokenizer splitter,
    Normalizer normalizer
) : MergingTokenizer(bytes)
{
    private const int StackBytes = 256;

    /// <inheritdoc/>
    public override PreTokenizer PreTokenizer => splitter;

    /// <inheritdoc/>
    public override Normalizer Normalizer => normalizer;

    /// <inheritdoc/>
    protected override void EncodeWord(ReadOnlySpan<char> word, int start, TokenList tokens)
    {
        var most = Encoding.UTF8.GetMaxByteCount(word.Length);
        var rented = most > StackBytes ? ArrayPool<byte>.Shared.Rent(most) : null;
        var utf8 = rented ?? stackalloc byte[StackBytes];
        var count = Encoding.UTF8.GetBytes(word, utf8);
        EncodeBytes(utf8[..count], word, start, tokens);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private void EncodeBytes(ReadOnlySpan<byte> utf8, ReadOnlySpan<char> word, int start, TokenList tokens)
    {
        if (wholeWords is not null && wholeWords.TryGetValue(ByteAlphabet.ToText(utf8), out var whole))
        {
            tokens.Add(whole, start, start + word.Length);
            return;
        }

        var symbols = utf8.Length <= StackBytes ? stackalloc int[utf8.Length] : new int[utf8.Length];
        for (var i = 0; i < utf8.Length; i++)
        {
            symbols[i] = byteIds[utf8[i]];
        }

        var places = tokens.KeepsPlaces ? FindPlaces(word, start) : [];
        tokens.AddMerged(symbols, merges, places);
    }

    /// <summary>The characters that each byte is of.</summary>
    private static List<(int Start, int End)> FindPlaces(ReadOnlySpan<char> word, int start)
    {
        var places = new List<(int, int)>();
        foreach (var rune in word.EnumerateRunes())
        {
            var end = start + rune.Utf16SequenceLength; // of a lone surrogate: U+FFFD, which is as long
            places.AddRange(Enumerable.Repeat((start, end), rune.Utf8SequenceLength));
            start = end;
        }

        return places;
    }
}
