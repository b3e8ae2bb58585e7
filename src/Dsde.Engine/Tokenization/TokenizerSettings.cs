using System.Text.Json;
using Dsde.Engine.Models.Files;

namespace Dsde.Engine.Tokenization;

/// <summary>What tokenizer_config.json and added_tokens.json say beside the tokenizer itself.</summary>
internal sealed record TokenizerSettings
{
    public const string FileName = "tokenizer_config.json";
    private const string AddedTokensFileName = "added_tokens.json";

    /// <summary>Whether plain prompts begin with the beginning-of-text token; null where nothing is said.</summary>
    public bool? AddsBos { get; init; }

    /// <summary>Text of the beginning-of-text token; null where none is named.</summary>
    public string? BosToken { get; init; }

    /// <summary>Text of the end-of-text token; null where none is named.</summary>
    public string? EosToken { get; init; }

    /// <summary>Whether every segment gets a space, not only the first; null where nothing is said.</summary>
    public bool? IsLegacy { get; init; }

    /// <summary>Added tokens by id.</summary>
    public IReadOnlyDictionary<int, AddedToken> AddedTokens { get; init; } = new Dictionary<int, AddedToken>();

    /// <summary>Reads what of the files there is.</summary>
    /// <exception cref="ModelLoadException">A file is broken.</exception>
    public static TokenizerSettings Read(string folder)
    {
        var added = new Dictionary<int, AddedToken>();
        var addedPath = Path.Combine(folder, AddedTokensFileName);
        if (ModelFile.Exists(addedPath))
        {
            foreach (var token in JsonSettings.Load(addedPath).Entries())
            {
                added[token.Value.GetInt32()] = new AddedToken(token.Name, IsSpecial: false);
            }
        }

        var path = Path.Combine(folder, FileName);
        if (!ModelFile.Exists(path))
        {
            return new TokenizerSettings { AddedTokens = added };
        }

        var file = JsonSettings.Load(path);
        foreach (var token in file.Section("added_tokens_decoder")?.Entries() ?? [])
        {
            added[int.Parse(token.Name, System.Globalization.CultureInfo.InvariantCulture)] = ReadToken(token.Value);
        }

        return new TokenizerSettings
        {
            AddsBos = file.Find("add_bos_token") is null ? null : file.Bool("add_bos_token", false),
            BosToken = NameOf(file, "bos_token"),
            EosToken = NameOf(file, "eos_token"),
            IsLegacy = file.Find("legacy") is null ? null : file.Bool("legacy", false),
            AddedTokens = added,
        };
    }

    /// <summary>An added token as both tokenizer.json and tokenizer_config.json describe it.</summary>
    public static AddedToken ReadToken(JsonElement token) =>
        new(token.GetProperty("content").GetString() ?? "", IsSet(token, "special"))
        {
            StripsLeft = IsSet(token, "lstrip"),
            StripsRight = IsSet(token, "rstrip"),
            IsWholeWord = IsSet(token, "single_word"),
        };

    private static string? NameOf(JsonSettings file, string key) =>
        file.Find(key) is { ValueKind: JsonValueKind.Object } token ? token.GetProperty("content").GetString() : file.String(key);

    private static bool IsSet(JsonElement token, string key) => token.TryGetProperty(key, out var value) && value.GetBoolean();
}
