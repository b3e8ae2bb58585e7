using System.Runtime.InteropServices;
using System.Text;

namespace Dsde.Engine.Tokenization;

/// <summary>
/// BPE over characters as SentencePiece has it (Kudo and Richardson 2018; Llama 2, Mistral, Gemma): spaces are shown as '▁' and merge like
/// letters, characters that are not in the vocabulary fall back to their bytes.
/// </summary>
internal sealed class PieceEncoder : ISegmentEncoder
{
    /// <summary>Shows a space in pieces.</summary>
    public const char Boundary = '\u2581';

    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _pieces;
    private readonly MergeTable _merges;
    private readonly PrefixRule _prefix;

    /// <param name="pieces">Ids of the pieces that text may become, by their text.</param>
    /// <param name="merges">Merges by id.</param>
    /// <param name="prefix">When a boundary is put before text.</param>
    public PieceEncoder(Dictionary<string, int> pieces, MergeTable merges, PrefixRule prefix)
    {
        _pieces = pieces.GetAlternateLookup<ReadOnlySpan<char>>();
        _merges = merges;
        _prefix = prefix;
    }

    /// <summary>Ids of the 256 bytes; null if characters that are not in the vocabulary become <see cref="UnknownId"/>.</summary>
    public int[]? ByteIds { get; init; }

    /// <summary>What stands for characters that are not in the vocabulary; null if they are left out.</summary>
    public int? UnknownId { get; init; }

    /// <summary>Whether a run of unknown characters becomes one <see cref="UnknownId"/> rather than one each.</summary>
    public bool FusesUnknown { get; init; }

    /// <summary>Pieces that are taken as they are, before anything merges; null without any.</summary>
    public TextTrie? WholePieces { get; init; }

    /// <summary>Whether runs of spaces become one and those around the text go.</summary>
    public bool RemovesExtraSpaces { get; init; }

    /// <summary>Whether the text is cut before each boundary, so that no piece holds one inside.</summary>
    public bool SplitsAtBoundaries { get; init; }

    /// <inheritdoc/>
    public void Encode(string text, bool isFirst, List<int> ids)
    {
        var prepared = RemovesExtraSpaces ? string.Join(' ', text.Split(' ', StringSplitOptions.RemoveEmptyEntries)) : text;
        if (prepared.Length == 0)
        {
            return;
        }

        var shown = (NeedsPrefix(prepared, isFirst) ? " " + prepared : prepared).Replace(' ', Boundary);
        var symbols = new List<int>(shown.Length);
        for (var i = 0; i < shown.Length; )
        {
            if (WholePieces is not null && WholePieces.TryMatch(shown, i, out var id, out var length))
            {
                Flush(symbols, ids);
                ids.Add(id);
                i += length;
                continue;
            }

            if (SplitsAtBoundaries && shown[i] == Boundary)
            {
                Flush(symbols, ids);
            }

            length = char.IsHighSurrogate(shown[i]) && i + 1 < shown.Length && char.IsLowSurrogate(shown[i + 1]) ? 2 : 1;
            AddSymbols(shown.AsSpan(i, length), symbols);
            i += length;
        }

        Flush(symbols, ids);
    }

    private bool NeedsPrefix(string text, bool isFirst) =>
        _prefix switch
        {
            PrefixRule.Always => true,
            PrefixRule.First => isFirst,
            PrefixRule.AlwaysUnlessSpace => text[0] is not (' ' or Boundary),
            PrefixRule.FirstUnlessSpace => isFirst && text[0] is not (' ' or Boundary),
            _ => false,
        };

    private void AddSymbols(ReadOnlySpan<char> character, List<int> symbols)
    {
        if (_pieces.TryGetValue(character, out var id))
        {
            symbols.Add(id);
            return;
        }

        if (ByteIds is null)
        {
            if (UnknownId is { } unknown && !(FusesUnknown && symbols.Count > 0 && symbols[^1] == unknown))
            {
                symbols.Add(unknown);
            }

            return;
        }

        Span<byte> bytes = stackalloc byte[4];
        foreach (var value in bytes[..Encoding.UTF8.GetBytes(character, bytes)])
        {
            symbols.Add(ByteIds[value]);
        }
    }

    private void Flush(List<int> symbols, List<int> ids)
    {
        SymbolMerger.Merge(CollectionsMarshal.AsSpan(symbols), _merges, ids);
        symbols.Clear();
    }
}
