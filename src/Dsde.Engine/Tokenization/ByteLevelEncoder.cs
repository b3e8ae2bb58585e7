using System.Buffers;
using System.Text;

namespace Dsde.Engine.Tokenization;

/// <summary>
/// Byte-level BPE (Radford et al. 2019) as GPT-2, Llama 3 and Qwen have it: text is cut into words, and bytes merge within words.
/// </summary>
internal sealed class ByteLevelEncoder : ISegmentEncoder
{
    private const int StackBytes = 256;

    private readonly WordSplitter _splitter;
    private readonly MergeTable _merges;
    private readonly int[] _byteIds;
    private readonly Dictionary<string, int>? _wholeWords;
    private readonly bool _addsPrefixSpace;
    private readonly bool _normalizesToNfc;

    /// <param name="splitter">Cuts text into words.</param>
    /// <param name="merges">Merges by id.</param>
    /// <param name="byteIds">Ids of the 256 bytes.</param>
    /// <param name="wholeWords">Ids by text in the byte alphabet, for models that take a word they have without merging
    /// (<c>ignore_merges</c>); otherwise null.</param>
    /// <param name="addsPrefixSpace">Whether a space is put before text that begins without one.</param>
    /// <param name="normalizesToNfc">Whether text is brought into Unicode normalization form C first.</param>
    public ByteLevelEncoder(
        WordSplitter splitter,
        MergeTable merges,
        int[] byteIds,
        Dictionary<string, int>? wholeWords,
        bool addsPrefixSpace,
        bool normalizesToNfc
    )
    {
        _splitter = splitter;
        _merges = merges;
        _byteIds = byteIds;
        _wholeWords = wholeWords;
        _addsPrefixSpace = addsPrefixSpace;
        _normalizesToNfc = normalizesToNfc;
    }

    /// <inheritdoc/>
    public void Encode(string text, bool isFirst, List<int> ids)
    {
        var prepared = _normalizesToNfc ? CanonicalComposition.Normalize(text) : text;
        if (_addsPrefixSpace && !prepared.StartsWith(' '))
        {
            prepared = " " + prepared;
        }

        foreach (var (start, length) in _splitter.Split(prepared))
        {
            EncodeWord(prepared.AsSpan(start, length), ids);
        }
    }

    private void EncodeWord(ReadOnlySpan<char> word, List<int> ids)
    {
        var most = Encoding.UTF8.GetMaxByteCount(word.Length);
        var rented = most > StackBytes ? ArrayPool<byte>.Shared.Rent(most) : null;
        var bytes = rented ?? stackalloc byte[StackBytes];
        var count = Encoding.UTF8.GetBytes(word, bytes);
        EncodeBytes(bytes[..count], ids);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private void EncodeBytes(ReadOnlySpan<byte> bytes, List<int> ids)
    {
        if (_wholeWords is not null && _wholeWords.TryGetValue(ByteAlphabet.ToText(bytes), out var whole))
        {
            ids.Add(whole);
            return;
        }

        var symbols = bytes.Length <= StackBytes ? stackalloc int[bytes.Length] : new int[bytes.Length];
        for (var i = 0; i < bytes.Length; i++)
        {
            symbols[i] = _byteIds[bytes[i]];
        }

        SymbolMerger.Merge(symbols, _merges, ids);
    }
}
