using System.Globalization;
using System.Text;
using System.Text.Json;
using Dsde.Engine.Models.Files;

namespace Dsde.Engine.Tokenization;

/// <summary>
/// Reads tokenizer.json: byte-level BPE (GPT-2, Llama 3, Qwen, the demo models) and BPE over pieces (Llama 2, Mistral, Gemma).
/// </summary>
internal static class TokenizerFile
{
    public const string FileName = "tokenizer.json";

    /// <exception cref="ModelLoadException">The file asks for something that is not done.</exception>
    public static TokenizerDefinition Read(JsonSettings file, TokenizerSettings settings)
    {
        var model = file.Section("model") ?? throw file.Missing("model");
        RequirePlainBpe(model);
        var vocabulary = ReadVocabulary(model);
        var added = ReadAddedTokens(file);
        AddConfigured(settings, vocabulary, added);
        settings.AddNamedTo(added, vocabulary);
        var merges = ReadMerges(model, vocabulary);
        var preparation = TextPreparation.Read(file);
        var isByteLevel = preparation.Patterns is not null;
        var bytes = ReadBytes(model, vocabulary, added, isByteLevel);
        MergingTokenizer first = isByteLevel
            ? CreateByteLevel(model, vocabulary, merges, preparation, bytes)
            : CreatePieces(model, vocabulary, merges, preparation, bytes, isFirst: true);
        return new TokenizerDefinition
        {
            Path = file.Path,
            Kind = isByteLevel ? "byte-level BPE" : "SentencePiece BPE",
            Bytes = bytes,
            AddedTokens = added,
            First = first,
            Following = isByteLevel ? first : CreatePieces(model, vocabulary, merges, preparation, bytes, isFirst: false),
            PrefixIds = ReadPrefix(file, settings, vocabulary, added),
            Settings = settings,
            BeginsWithSpace = !isByteLevel && preparation.Prefix != PrefixRule.Never,
        };
    }

    /// <summary>Id of the byte <c>&lt;0xNN&gt;</c> stands for; null for other texts.</summary>
    public static byte? TryByte(string text) =>
        text.Length == 6
        && text.StartsWith("<0x", StringComparison.Ordinal)
        && text[5] == '>'
        && byte.TryParse(text.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            ? value
            : null;

    private static void RequirePlainBpe(JsonSettings model)
    {
        if (model.String("type") is { } type && type != "BPE")
        {
            throw model.Unsupported("type", model.Find("type")!.Value, "BPE");
        }

        foreach (var key in new[] { "continuing_subword_prefix", "end_of_word_suffix" })
        {
            if (!string.IsNullOrEmpty(model.String(key)))
            {
                throw model.Unsupported(key, model.Find(key)!.Value, "none");
            }
        }
    }

    private static Dictionary<string, int> ReadVocabulary(JsonSettings model)
    {
        var vocabulary = (model.Section("vocab") ?? throw model.Missing("vocab"))
            .Entries()
            .ToDictionary(token => token.Name, token => token.Value.GetInt32(), StringComparer.Ordinal);
        return vocabulary.Values.All(id => id >= 0) && vocabulary.Values.Distinct().Count() == vocabulary.Count
            ? vocabulary
            : throw new ModelLoadException($"{model.Path}: ids in \"vocab\" are below 0 or given twice. Download it again.");
    }

    private static Dictionary<int, AddedToken> ReadAddedTokens(JsonSettings file)
    {
        var added = file.Find("added_tokens") is { ValueKind: JsonValueKind.Array } tokens
            ? tokens.EnumerateArray().ToDictionary(token => token.GetProperty("id").GetInt32(), TokenizerSettings.ReadToken)
            : [];
        return added.Keys.All(id => id >= 0)
            ? added
            : throw new ModelLoadException($"{file.Path}: an id in \"added_tokens\" is below 0. Download it again.");
    }

    /// <summary>
    /// Tokens that only tokenizer_config.json has count as well, and what it says of others has the last word, as in transformers: a text
    /// that has an id keeps it.
    /// </summary>
    private static void AddConfigured(TokenizerSettings settings, Dictionary<string, int> vocabulary, Dictionary<int, AddedToken> added)
    {
        var ids = new Dictionary<string, int>(vocabulary, StringComparer.Ordinal);
        foreach (var (id, token) in added)
        {
            ids[token.Text] = id;
        }

        var taken = ids.Values.ToHashSet();
        foreach (var (id, token) in settings.AddedTokens.OrderBy(token => token.Key).Where(token => token.Value.Text.Length > 0))
        {
            if (ids.TryGetValue(token.Text, out var known))
            {
                added[known] = token;
            }
            else if (id >= 0 && taken.Add(id))
            {
                added[id] = token;
            }
            else
            {
                throw new ModelLoadException(
                    $"{TokenizerSettings.FileName} adds the token '{token.Text}' as {id}, which {FileName} has for another token. The two "
                        + "files belong to different models."
                );
            }
        }
    }

    private static MergeTable ReadMerges(JsonSettings model, Dictionary<string, int> vocabulary)
    {
        var list = model.Find("merges") ?? throw model.Missing("merges");
        var merges = new MergeTable(list.GetArrayLength());
        var rank = 0;
        foreach (var merge in list.EnumerateArray())
        {
            var (left, right) = ReadPair(merge);
            merges.Add(IdOf(left), IdOf(right), rank++, IdOf(left + right));
        }

        return merges;

        int IdOf(string text) =>
            vocabulary.TryGetValue(text, out var id)
                ? id
                : throw new ModelLoadException(
                    $"{model.Path}: merge {rank} has the token '{text}', which is not in the vocabulary. Download it again."
                );
    }

    private static (string Left, string Right) ReadPair(JsonElement merge)
    {
        if (merge.ValueKind == JsonValueKind.Array)
        {
            return (merge[0].GetString() ?? "", merge[1].GetString() ?? "");
        }

        return (merge.GetString() ?? "").Split(' ') is [var left, var right]
            ? (left, right)
            : throw new FormatException($"Merge '{merge}' is not a pair.");
    }

    private static Dictionary<int, byte[]> ReadBytes(
        JsonSettings model,
        Dictionary<string, int> vocabulary,
        Dictionary<int, AddedToken> added,
        bool isByteLevel
    )
    {
        var hasBytes = model.Bool("byte_fallback", false);
        var bytes = new Dictionary<int, byte[]>(vocabulary.Count);
        foreach (var (text, id) in vocabulary.Where(token => !added.ContainsKey(token.Value)))
        {
            bytes[id] =
                isByteLevel
                    ? ByteAlphabet.TryToBytes(text)
                        ?? throw new ModelLoadException(
                            $"{model.Path}: token {id} ('{text}') is not in the byte alphabet, but the pre_tokenizer is ByteLevel."
                        )
                : hasBytes && TryByte(text) is { } value ? [value]
                : PieceBytes(text);
        }

        foreach (var (id, token) in added)
        {
            bytes[id] = isByteLevel ? Encoding.UTF8.GetBytes(token.Text) : PieceBytes(token.Text);
        }

        return bytes;
    }

    private static byte[] PieceBytes(string text) => Encoding.UTF8.GetBytes(text.Replace(PieceNormalizer.Boundary, ' '));

    private static ByteLevelTokenizer CreateByteLevel(
        JsonSettings model,
        Dictionary<string, int> vocabulary,
        MergeTable merges,
        TextPreparation preparation,
        Dictionary<int, byte[]> bytes
    ) =>
        new ByteLevelTokenizer(
            bytes,
            merges,
            [.. Enumerable.Range(0, 256).Select(value => RequireByte(model, vocabulary, ByteAlphabet.ToCharacter((byte)value).ToString()))],
            model.Bool("ignore_merges", false) ? vocabulary : null,
            new WordSplitter(preparation.Patterns ?? []),
            new ByteLevelNormalizer(preparation.NormalizesToNfc, preparation.AddsPrefixSpace)
        );

    private static PieceTokenizer CreatePieces(
        JsonSettings model,
        Dictionary<string, int> vocabulary,
        MergeTable merges,
        TextPreparation preparation,
        Dictionary<int, byte[]> bytes,
        bool isFirst
    ) =>
        new PieceTokenizer(
            bytes,
            vocabulary,
            merges,
            new PieceNormalizer(preparation.Prefix, isFirst, removesExtraSpaces: false),
            preparation.SplitsAtBoundaries ? new BoundarySplitter() : null
        )
        {
            StripsSpace = preparation.Prefix != PrefixRule.Never,
            ByteIds = model.Bool("byte_fallback", false)
                ?
                [
                    .. Enumerable
                        .Range(0, 256)
                        .Select(value => vocabulary.TryGetValue($"<0x{value:X2}>", out var byteId) ? byteId : (int?)null),
                ]
                : null,
            UnknownId = model.String("unk_token") is { } unknown && vocabulary.TryGetValue(unknown, out var id) ? id : null,
            FusesUnknown = model.Bool("fuse_unk", false),
        };

    private static int RequireByte(JsonSettings model, Dictionary<string, int> vocabulary, string text) =>
        vocabulary.TryGetValue(text, out var id)
            ? id
            : throw new ModelLoadException($"{model.Path} has no token '{text}', which stands for a byte. Download it again.");

    /// <summary>
    /// Special tokens that a template puts before a single text, as Llama 3 has it. tokenizer_config.json has the last word on the
    /// beginning-of-text token, as in Hugging Face's own class for Llama.
    /// </summary>
    private static List<int> ReadPrefix(
        JsonSettings file,
        TokenizerSettings settings,
        Dictionary<string, int> vocabulary,
        Dictionary<int, AddedToken> added
    )
    {
        if (settings.AddsBos == false)
        {
            return [];
        }

        var ids = TemplatePrefix(file);
        if (ids.Count == 0 && settings is { AddsBos: true, BosToken: { } bos })
        {
            ids.Add(vocabulary.TryGetValue(bos, out var id) ? id : added.Single(token => token.Value.Text == bos).Key);
        }

        return ids;
    }

    private static List<int> TemplatePrefix(JsonSettings file)
    {
        var processors =
            file.Section("post_processor") is not { } section ? []
            : section.String("type") == "Sequence"
                ? (section.Find("processors") ?? throw section.Missing("processors")).EnumerateArray().ToList()
            : [file.Find("post_processor")!.Value];
        var ids = new List<int>();
        foreach (var template in processors.Where(processor => processor.GetProperty("type").GetString() == "TemplateProcessing"))
        {
            foreach (var piece in template.GetProperty("single").EnumerateArray())
            {
                if (!piece.TryGetProperty("SpecialToken", out var special))
                {
                    break;
                }

                var name = special.GetProperty("id").GetString() ?? "";
                ids.AddRange(
                    template.GetProperty("special_tokens").GetProperty(name).GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())
                );
            }
        }

        return ids;
    }
}
