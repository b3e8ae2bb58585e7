using System.Text.Json;
using Dsde.Engine.Models;

namespace Dsde.Engine.Tokenization;

/// <summary>Reads tokenizer.json: byte-level BPE as GPT-2, Llama 3, Qwen and the demo models have it. What is not understood is refused, never guessed.</summary>
internal static class TokenizerFile
{
    public const string FileName = "tokenizer.json";

    /// <summary>The pattern that a ByteLevel pre-tokenizer with <c>use_regex</c> implies (GPT-2's).</summary>
    private const string ByteLevelPattern = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <exception cref="ModelLoadException">The file is missing, broken, or asks for something that is not done.</exception>
    public static TokenizerDefinition Read(string folder)
    {
        var file = JsonSettings.Load(Path.Combine(folder, FileName));
        try
        {
            return Read(file);
        }
        catch (Exception exception) when (exception is KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new ModelLoadException($"{file.Path} is not built as a tokenizer.json is: {exception.Message} Download it again.", exception);
        }
    }

    private static TokenizerDefinition Read(JsonSettings file)
    {
        var model = file.Section("model") ?? throw file.Missing("model");
        RequireType(model, "BPE");
        var (pattern, addsPrefixSpace) = ReadPreTokenizer(file);
        return new TokenizerDefinition
        {
            Vocabulary = ReadVocabulary(model),
            Merges = ReadMerges(model),
            AddedTokens = ReadAddedTokens(file),
            PreTokenizerPattern = pattern,
            AddsPrefixSpace = addsPrefixSpace,
            NormalizesToNfc = ReadNormalizer(file),
            PrefixIds = ReadPrefix(file),
        };
    }

    private static Dictionary<string, int> ReadVocabulary(JsonSettings model)
    {
        var vocabulary = model.Find("vocab") ?? throw model.Missing("vocab");
        return vocabulary.ValueKind == JsonValueKind.Object
            ? vocabulary.EnumerateObject().ToDictionary(token => token.Name, token => token.Value.GetInt32(), StringComparer.Ordinal)
            : throw model.Unsupported("vocab", vocabulary, "an object of token texts and ids");
    }

    private static List<string> ReadMerges(JsonSettings model)
    {
        var merges = model.Find("merges") ?? throw model.Missing("merges");
        return [.. merges.EnumerateArray().Select(merge => merge.ValueKind == JsonValueKind.Array ? $"{merge[0].GetString()} {merge[1].GetString()}" : merge.GetString() ?? "")];
    }

    private static Dictionary<int, (string Text, bool IsSpecial)> ReadAddedTokens(JsonSettings file) => file.Find("added_tokens") is { ValueKind: JsonValueKind.Array } added
        ? added.EnumerateArray().ToDictionary(
            token => token.GetProperty("id").GetInt32(),
            token => (token.GetProperty("content").GetString() ?? "", token.TryGetProperty("special", out var special) && special.GetBoolean()))
        : [];

    private static bool ReadNormalizer(JsonSettings file)
    {
        if (file.Section("normalizer") is not { } normalizer)
        {
            return false;
        }

        RequireType(normalizer, "NFC");
        return true;
    }

    /// <summary>Either ByteLevel alone, or a split by a pattern of its own with ByteLevel behind it.</summary>
    private static (string Pattern, bool AddsPrefixSpace) ReadPreTokenizer(JsonSettings file)
    {
        var section = file.Section("pre_tokenizer") ?? throw file.Missing("pre_tokenizer");
        if (section.String("type") == "ByteLevel")
        {
            return (ByteLevelPattern, section.Bool("add_prefix_space", false));
        }

        RequireType(section, "Sequence", "ByteLevel or a Sequence of Split and ByteLevel");
        var parts = (section.Find("pretokenizers") ?? throw section.Missing("pretokenizers")).EnumerateArray().ToList();
        if (parts is not [var split, var bytes] || TypeOf(split) != "Split" || TypeOf(bytes) != "ByteLevel"
            || split.GetProperty("behavior").GetString() != "Isolated" || !split.GetProperty("pattern").TryGetProperty("Regex", out var pattern)
            || (bytes.TryGetProperty("use_regex", out var usesRegex) && usesRegex.GetBoolean()))
        {
            throw section.Unsupported("pretokenizers", section.Find("pretokenizers")!.Value, "Split by a Regex (Isolated), then ByteLevel without use_regex");
        }

        return (pattern.GetString() ?? "", bytes.TryGetProperty("add_prefix_space", out var adds) && adds.GetBoolean());
    }

    /// <summary>Special tokens that a template puts before a single text, as Llama 3 has it.</summary>
    private static List<int> ReadPrefix(JsonSettings file)
    {
        var template = Templates(file).FirstOrDefault(part => TypeOf(part) == "TemplateProcessing");
        if (template.ValueKind == JsonValueKind.Undefined)
        {
            return [];
        }

        var ids = new List<int>();
        foreach (var piece in template.GetProperty("single").EnumerateArray())
        {
            if (!piece.TryGetProperty("SpecialToken", out var special))
            {
                break;
            }

            var name = special.GetProperty("id").GetString() ?? "";
            ids.AddRange(template.GetProperty("special_tokens").GetProperty(name).GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()));
        }

        return ids;
    }

    private static IEnumerable<JsonElement> Templates(JsonSettings file) => file.Find("post_processor") switch
    {
        { ValueKind: JsonValueKind.Object } single when TypeOf(single) == "Sequence" => single.GetProperty("processors").EnumerateArray(),
        { ValueKind: JsonValueKind.Object } single => [single],
        _ => [],
    };

    private static string? TypeOf(JsonElement section) => section.TryGetProperty("type", out var type) ? type.GetString() : null;

    private static void RequireType(JsonSettings section, string type, string? supported = null)
    {
        if (section.String("type") != type)
        {
            throw section.Unsupported("type", section.Find("type") ?? throw section.Missing("type"), supported ?? $"{type} (byte-level BPE)");
        }
    }
}
