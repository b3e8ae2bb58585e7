using System.Runtime.InteropServices;
using System.Text;
using Microsoft.ML.Tokenizers;

namespace Dsde.Engine.Tokenization;

/// <summary>
/// BPE over characters as SentencePiece has it (Kudo and Richardson 2018; Llama 2, Mistral, Gemma): spaces are shown as '▁' and merge like
/// letters, characters that are not in the vocabulary fall back to their bytes.
/// </summary>
internal sealed class PieceTokenizer : MergingTokenizer
{
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _pieces;
    private readonly MergeTable _merges;
    private readonly PieceNormalizer _normalizer;
    private readonly BoundarySplitter? _splitter;

    /// <param name="bytes">What each token adds to a text, by id.</param>
    /// <param name="pieces">Ids of the pieces that text may become, by their text.</param>
    /// <param name="merges">Merges by id.</param>
    /// <param name="normalizer">What is done to text before.</param>
    /// <param name="splitter">Cuts text into words; null if all of it is one.</param>
    public PieceTokenizer(
        IReadOnlyDictionary<int, byte[]> bytes,
        Dictionary<string, int> pieces,
        MergeTable merges,
        PieceNormalizer normalizer,
        BoundarySplitter? splitter = null
    )
        : base(bytes)
    {
        (_normalizer, _splitter) = (normalizer, splitter);
        _pieces = pieces.GetAlternateLookup<ReadOnlySpan<char>>();
        _merges = merges;
    }

    /// <inheritdoc/>
    public override PreTokenizer? PreTokenizer => _splitter;

    /// <inheritdoc/>
    public override Normalizer Normalizer => _normalizer;

    /// <summary>Whether text gets a space before it, which does not belong to the text when it is put together again.</summary>
    public bool StripsSpace { get; init; }

    /// <summary>
    /// Ids of the 256 bytes, of which some may be missing: Gemma has none for the tab, which is a piece itself. Null if characters that are
    /// not in the vocabulary become <see cref="UnknownId"/>, as those do a byte of which is missing.
    /// </summary>
    public int?[]? ByteIds { get; init; }

    /// <summary>What stands for characters that are not in the vocabulary; null if they are left out.</summary>
    public int? UnknownId { get; init; }

    /// <summary>Whether a run of unknown characters becomes one <see cref="UnknownId"/> rather than one each.</summary>
    public bool FusesUnknown { get; init; }

    /// <summary>Pieces that are taken as they are, before anything merges; null without any.</summary>
    public TextTrie? WholePieces { get; init; }

    /// <inheritdoc/>
    protected override bool BeginsWithSpace => StripsSpace;

    /// <inheritdoc/>
    protected override void EncodeWord(ReadOnlySpan<char> word, int start, TokenList tokens)
    {
        var symbols = new List<int>(word.Length);
        var places = new List<(int Start, int End)>();
        for (var i = 0; i < word.Length; )
        {
            if (WholePieces is not null && WholePieces.TryMatch(word, i, out var id, out var length))
            {
                Flush(symbols, places, tokens);
                tokens.Add(id, start + i, start + i + length);
                i += length;
                continue;
            }

            length = char.IsHighSurrogate(word[i]) && i + 1 < word.Length && char.IsLowSurrogate(word[i + 1]) ? 2 : 1;
            AddSymbols(word.Slice(i, length), symbols);
            for (var place = (start + i, start + i + length); tokens.KeepsPlaces && places.Count < symbols.Count; )
            {
                places.Add(place);
            }

            i += length;
        }

        Flush(symbols, places, tokens);
    }

    private void AddSymbols(ReadOnlySpan<char> character, List<int> symbols)
    {
        if (_pieces.TryGetValue(character, out var id))
        {
            symbols.Add(id);
            return;
        }

        Span<byte> room = stackalloc byte[4];
        var bytes = room[..Encoding.UTF8.GetBytes(character, room)];
        if (HaveIds(bytes))
        {
            foreach (var value in bytes)
            {
                symbols.Add(ByteIds![value]!.Value);
            }
        }
        else if (UnknownId is { } unknown && !(FusesUnknown && symbols.Count > 0 && symbols[^1] == unknown))
        {
            symbols.Add(unknown);
        }
    }

    private bool HaveIds(ReadOnlySpan<byte> bytes)
    {
        foreach (var value in bytes)
        {
            if (ByteIds?[value] is null)
            {
                return false;
            }
        }

        return true;
    }

    private void Flush(List<int> symbols, List<(int Start, int End)> places, TokenList tokens)
    {
        tokens.AddMerged(CollectionsMarshal.AsSpan(symbols), _merges, places);
        symbols.Clear();
        places.Clear();
    }
}
