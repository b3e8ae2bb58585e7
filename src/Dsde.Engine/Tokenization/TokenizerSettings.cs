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

    /// <summary>Tokens that have a name, such as the one for padding, in the order in which they are given ids if they have none.</summary>
    public IReadOnlyList<AddedToken> NamedTokens { get; init; } = [];

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

        var named = Chats.NamedTokens.Read(folder);
        var path = Path.Combine(folder, FileName);
        if (!ModelFile.Exists(path))
        {
            return new TokenizerSettings { AddedTokens = added, NamedTokens = [.. named.All] };
        }

        var file = JsonSettings.Load(path);
        foreach (var token in file.Section("added_tokens_decoder")?.Entries() ?? [])
        {
            added[int.Parse(token.Name, System.Globalization.CultureInfo.InvariantCulture)] = ReadToken(token.Value);
        }

        return new TokenizerSettings
        {
            AddsBos = file.Find("add_bos_token") is null ? null : file.Bool("add_bos_token", false),
            BosToken = named.FindText("bos_token"),
            EosToken = named.FindText("eos_token"),
            IsLegacy = file.Find("legacy") is null ? null : file.Bool("legacy", false),
            AddedTokens = added,
            NamedTokens = [.. named.All],
        };
    }

    /// <summary>
    /// Gives tokens that are named only, and are neither in the vocabulary nor added, the next free ids, as transformers does; in the
    /// vocabulary they become special tokens. An id behind the model's last row is refused once a prompt has it.
    /// </summary>
    /// <param name="added">The added tokens by id, which grow.</param>
    /// <param name="vocabulary">Ids that text is merged into, by what they are written as.</param>
    public void AddNamedTo(Dictionary<int, AddedToken> added, IReadOnlyDictionary<string, int> vocabulary)
    {
        var known = added.Values.Select(token => token.Text).ToHashSet(StringComparer.Ordinal);
        var next = added.Keys.Concat(vocabulary.Values).DefaultIfEmpty(-1).Max() + 1;
        foreach (var token in NamedTokens.Where(token => known.Add(token.Text)))
        {
            added[vocabulary.TryGetValue(token.Text, out var id) ? id : next++] = token;
        }
    }

    /// <summary>An added token as both tokenizer.json and tokenizer_config.json describe it.</summary>
    public static AddedToken ReadToken(JsonElement token) =>
        new(token.GetProperty("content").GetString() ?? "", IsSet(token, "special"))
        {
            StripsLeft = IsSet(token, "lstrip"),
            StripsRight = IsSet(token, "rstrip"),
            IsWholeWord = IsSet(token, "single_word"),
        };

    private static bool IsSet(JsonElement token, string key) => token.TryGetProperty(key, out var value) && value.GetBoolean();
}
