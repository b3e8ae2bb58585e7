using System.Text;

namespace Dsde.Engine.Tokenization;

/// <summary>Makes a tokenizer of a SentencePiece BPE model (Llama 2, Mistral, Gemma) and the added tokens beside it.</summary>
internal static class SentencePieceTokenizerReader
{
    private const int Bpe = 2;

    /// <exception cref="ModelLoadException">The model is of a kind that is not done.</exception>
    /// <exception cref="InvalidDataException">The model is broken.</exception>
    public static TokenizerDefinition Read(SentencePieceFile file, TokenizerSettings settings)
    {
        RequireSupported(file);
        var all = ById(file, kind => kind is PieceKind.Normal or PieceKind.UserDefined)
            .ToDictionary(piece => piece.Text, piece => piece.Id, StringComparer.Ordinal);
        var added = ReadAddedTokens(file, settings);
        settings.AddNamedTo(added, all);
        var text = all.Where(piece => !IsFoundBefore(piece.Value)).ToDictionary(StringComparer.Ordinal);
        var wholePieces = new TextTrie();
        foreach (var (id, piece) in ById(file, kind => kind == PieceKind.UserDefined).Where(piece => !IsFoundBefore(piece.Id)))
        {
            wholePieces.Add(piece.Replace(' ', PieceNormalizer.Boundary), id);
        }

        var bytes = ById(file, kind => kind == PieceKind.Byte)
            .ToDictionary(
                piece => TokenizerFile.TryByte(piece.Text) ?? throw new InvalidDataException($"'{piece.Text}' is no byte."),
                piece => piece.Id
            );
        int?[]? byteIds = file.HasByteFallback
            ?
            [
                .. Enumerable
                    .Range(0, 256)
                    .Select(value =>
                        bytes.TryGetValue((byte)value, out var id)
                            ? (int?)id
                            : throw new InvalidDataException($"Byte {value} has no piece.")
                    ),
            ]
            : null;
        var bosId = file.BosId >= 0 && file.BosId < file.Pieces.Count ? file.BosId : (int?)null;
        var merges = ReadMerges(file, text);
        var content = ReadBytes(file, added);
        return new TokenizerDefinition
        {
            Path = file.Path,
            Kind = "SentencePiece BPE",
            Bytes = content,
            AddedTokens = added,
            First = Create(isFirst: true),
            Following = Create(isFirst: false),
            PrefixIds = bosId is { } bos && settings.AddsBos != false ? [bos] : [],
            Settings = settings,
            BeginsWithSpace = file.AddsDummyPrefix,
        };

        // Added tokens are found before text is encoded. Where one may not stand, as in what a message says, its name must not become it.
        // White space is nobody's name, and is not found: text has spaces where pieces have '▁'.
        bool IsFoundBefore(int id) =>
            added.TryGetValue(id, out var token)
            && (token.IsSpecial || (file.Pieces[id].Kind == PieceKind.UserDefined && !token.Text.All(IsWhiteSpace)));

        static bool IsWhiteSpace(char character) => character == PieceNormalizer.Boundary || char.IsWhiteSpace(character);

        PieceTokenizer Create(bool isFirst) =>
            new(content, text, merges, new PieceNormalizer(Prefix(file, settings), isFirst, file.RemovesExtraSpaces))
            {
                StripsSpace = file.AddsDummyPrefix,
                ByteIds = byteIds,
                UnknownId = ById(file, kind => kind == PieceKind.Unknown).Select(piece => (int?)piece.Id).FirstOrDefault(),
                FusesUnknown = true,
                WholePieces = wholePieces.IsEmpty ? null : wholePieces,
            };
    }

    private static void RequireSupported(SentencePieceFile file)
    {
        var problem = file switch
        {
            { ModelType: not Bpe } => $"is of model type {file.ModelType} ({(file.ModelType == 1 ? "Unigram" : "words or characters")})",
            { MapsCharacters: true } => "maps characters to others before it encodes (NFKC)",
            { PutsBoundaryBehind: true } => "puts word boundaries behind words",
            { EscapesSpaces: false } => "does not escape spaces",
            _ when file.Pieces.Exists(piece => piece.Kind == PieceKind.Unused) => "has unused pieces",
            _ => null,
        };
        if (problem is not null)
        {
            throw new ModelLoadException(
                $"{file.Path} {problem}. Supported: SentencePiece BPE as Llama 2, Mistral and Gemma have it, or a "
                    + $"{TokenizerFile.FileName} beside it."
            );
        }
    }

    /// <summary>Any two pieces that make a third may merge; the third's score is the order.</summary>
    private static MergeTable ReadMerges(SentencePieceFile file, Dictionary<string, int> text)
    {
        var lookup = text.GetAlternateLookup<ReadOnlySpan<char>>();
        var merges = new MergeTable(2 * text.Count);
        var ranks = text
            .Values.Select(id => file.Pieces[id].Score)
            .Distinct()
            .OrderDescending()
            .Index()
            .ToDictionary(score => score.Item, score => score.Index);
        foreach (var (whole, id) in text)
        {
            for (var cut = 1; cut < whole.Length; cut++)
            {
                if (lookup.TryGetValue(whole.AsSpan(0, cut), out var left) && lookup.TryGetValue(whole.AsSpan(cut), out var right))
                {
                    merges.Add(left, right, ranks[file.Pieces[id].Score], id);
                }
            }
        }

        return merges;
    }

    /// <summary>
    /// SentencePiece knows one text; between added tokens every segment is one, unless the model's settings say that only the first is.
    /// </summary>
    private static PrefixRule Prefix(SentencePieceFile file, TokenizerSettings settings) =>
        !file.AddsDummyPrefix ? PrefixRule.Never
        : settings.IsLegacy == false ? PrefixRule.First
        : PrefixRule.Always;

    private static Dictionary<int, byte[]> ReadBytes(SentencePieceFile file, Dictionary<int, AddedToken> added)
    {
        var bytes = ById(file, _ => true)
            .ToDictionary(
                piece => piece.Id,
                piece =>
                    file.Pieces[piece.Id].Kind == PieceKind.Byte && TokenizerFile.TryByte(piece.Text) is { } value
                        ? [value]
                        : PieceBytes(piece.Text)
            );
        foreach (var (id, token) in added)
        {
            bytes[id] = PieceBytes(token.Text);
        }

        return bytes;
    }

    /// <summary>Control pieces never come of text; what the files beside the model add is as they say.</summary>
    private static Dictionary<int, AddedToken> ReadAddedTokens(SentencePieceFile file, TokenizerSettings settings)
    {
        var added = ById(file, kind => kind is PieceKind.Control or PieceKind.Unknown)
            .ToDictionary(piece => piece.Id, piece => new AddedToken(piece.Text, IsSpecial: true));
        foreach (var (id, token) in settings.AddedTokens)
        {
            if (id < 0)
            {
                throw new InvalidDataException($"The added token '{token.Text}' has the id {id}.");
            }

            added[id] = added.TryGetValue(id, out var control) && control.Text == token.Text ? token with { IsSpecial = true } : token;
        }

        return added;
    }

    private static IEnumerable<(int Id, string Text)> ById(SentencePieceFile file, Func<PieceKind, bool> isWanted) =>
        file.Pieces.Index().Where(piece => isWanted(piece.Item.Kind)).Select(piece => (piece.Index, piece.Item.Text));

    private static byte[] PieceBytes(string text) => Encoding.UTF8.GetBytes(text.Replace(PieceNormalizer.Boundary, ' '));
}
