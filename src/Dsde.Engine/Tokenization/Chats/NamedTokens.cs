using System.Text.Json;
using Dsde.Engine.Models;
using Dsde.Engine.Models.Files;
using Dsde.Templates;

namespace Dsde.Engine.Tokenization.Chats;

/// <summary>The special tokens that templates know by name: <c>bos_token</c> and the like.</summary>
internal sealed class NamedTokens
{
    private const string MapFileName = "special_tokens_map.json";
    private const string Additional = "additional_special_tokens";
    private const string Extra = "extra_special_tokens";

    private static readonly string[] Names = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

    private readonly Dictionary<string, AddedToken> _tokens = new(StringComparer.Ordinal);
    private readonly List<AddedToken> _additional = [];

    private NamedTokens() { }

    /// <summary>Names that mean special tokens, whether a folder has them or not.</summary>
    public static IEnumerable<string> ReservedNames => Names.Append(Additional);

    /// <summary>All of them, in the order in which transformers looks for their ids.</summary>
    public IEnumerable<AddedToken> All =>
        Names.Where(_tokens.ContainsKey).Select(name => _tokens[name]).Concat(_additional).Concat(_tokens.Values).Distinct();

    /// <summary>The tokens' texts, by name.</summary>
    public IEnumerable<KeyValuePair<string, string>> Texts => _tokens.Select(token => KeyValuePair.Create(token.Key, token.Value.Text));

    /// <summary>The text of the token of a name; null if there is none.</summary>
    public string? FindText(string name) => _tokens.TryGetValue(name, out var token) ? token.Text : null;

    /// <summary>What templates see.</summary>
    public IEnumerable<KeyValuePair<string, TemplateValue>> Variables =>
        _tokens
            .Select(token => KeyValuePair.Create(token.Key, TemplateValue.FromTemplate(token.Value.Text)))
            .Concat(
                _additional.Count == 0
                    ? []
                    : [KeyValuePair.Create(Additional, TemplateValue.FromTemplate([.. _additional.Select(token => token.Text)]))]
            );

    /// <summary>Reads tokenizer_config.json, and what it does not name from special_tokens_map.json.</summary>
    /// <exception cref="ModelLoadException">A file is broken.</exception>
    public static NamedTokens Read(string folder)
    {
        var tokens = new NamedTokens();
        var settings = Load(Path.Combine(folder, TokenizerSettings.FileName));
        var map = Load(Path.Combine(folder, MapFileName));
        foreach (var name in Names)
        {
            // A null in the settings is an answer: the model has no such token.
            var source = settings?.Contains(name) == true ? settings : map;
            tokens.Add(name, source?.Find(name) ?? default, source?.Path ?? "");
        }

        if ((settings?.Contains(Additional) == true ? settings : map) is { } list && list.Find(Additional) is { } texts)
        {
            tokens._additional.AddRange(
                TokenizerReader.Guard(list.Path, () => texts.EnumerateArray().Select(Read).Where(token => token.Text.Length > 0).ToList())
            );
        }

        foreach (var token in settings?.Find(Extra) is { ValueKind: JsonValueKind.Object } extra ? extra.EnumerateObject() : default)
        {
            tokens.Add(token.Name, token.Value, settings?.Path ?? "");
        }

        return tokens;
    }

    private static JsonSettings? Load(string path) => ModelFile.Exists(path) ? JsonSettings.Load(path) : null;

    /// <summary>An empty text is none, as in transformers.</summary>
    private void Add(string name, JsonElement token, string path)
    {
        var isNone = token.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null;
        if (!isNone && TokenizerReader.Guard(path, () => Read(token)) is { Text.Length: > 0 } read)
        {
            _tokens[name] = read;
        }
    }

    private static AddedToken Read(JsonElement token) =>
        token.ValueKind == JsonValueKind.Object
            ? TokenizerSettings.ReadToken(token) with
            {
                IsSpecial = true,
            }
            : new AddedToken(token.GetString() ?? "", IsSpecial: true);
}
