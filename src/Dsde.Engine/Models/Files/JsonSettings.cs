using System.Text.Json;

namespace Dsde.Engine.Models.Files;

/// <summary>Typed reading of a JSON settings file; every failure names the file, the key, the value and what is expected.</summary>
internal sealed class JsonSettings
{
    private const int ShownValueLength = 80;

    private readonly JsonElement _root;

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    private JsonSettings(string path, JsonElement root)
    {
        Path = path;
        _root = root;
    }

    /// <summary>The file, for messages.</summary>
    public string Path { get; }

    /// <summary>Reads a file that holds one JSON object.</summary>
    public static JsonSettings Load(string path)
    {
        try
        {
            var bytes = ModelFile.ReadAllBytes(path);
            var json = bytes.AsMemory(bytes.AsSpan().StartsWith(ByteOrderMark) ? ByteOrderMark.Length : 0);
            if (!JsonText.IsReadable(json.Span))
            {
                throw new ModelLoadException($"{path} holds text that is not Unicode. Download it again.");
            }

            using var document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new JsonSettings(path, document.RootElement.Clone())
                : throw new ModelLoadException($"{path} does not hold a JSON object. Download the model again.");
        }
        catch (JsonException e)
        {
            throw new ModelLoadException($"{path} is not valid JSON (line {e.LineNumber + 1}). Download it again.", e);
        }
    }

    /// <summary>The value of a key; null where it is absent or JSON's null.</summary>
    public JsonElement? Find(string key) =>
        _root.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>Whether the file has the key, even with JSON's null.</summary>
    public bool Contains(string key) => _root.TryGetProperty(key, out _);

    /// <summary>An object under a key, to be read in the same way; null where there is none.</summary>
    public JsonSettings? Section(string key) =>
        Find(key) switch
        {
            null => null,
            { ValueKind: JsonValueKind.Object } value => new JsonSettings(Path, value),
            { } value => throw Unsupported(key, value, "an object or null"),
        };

    /// <summary>All keys and values, in the file's order.</summary>
    public IEnumerable<JsonProperty> Entries() => _root.EnumerateObject();

    /// <summary>The objects of a list under a key.</summary>
    public IEnumerable<JsonSettings> Sections(string key) =>
        (Find(key) ?? throw Missing(key)) is { ValueKind: JsonValueKind.Array } list
        && list.EnumerateArray().All(item => item.ValueKind == JsonValueKind.Object)
            ? list.EnumerateArray().Select(item => new JsonSettings(Path, item))
            : throw Unsupported(key, Find(key)!.Value, "a list of objects");

    public string? String(string key) =>
        Find(key) switch
        {
            null => null,
            { ValueKind: JsonValueKind.String } value => value.GetString(),
            { } value => throw Unsupported(key, value, "a string"),
        };

    public bool Bool(string key, bool otherwise) =>
        Find(key) switch
        {
            null => otherwise,
            { ValueKind: JsonValueKind.True } => true,
            { ValueKind: JsonValueKind.False } => false,
            { } value => throw Unsupported(key, value, "true or false"),
        };

    public int? PositiveInt(string key) =>
        Find(key) switch
        {
            null => null,
            { } value when WholeNumber(value) is > 0 and var number => number,
            { } value => throw Unsupported(key, value, "a whole number above 0"),
        };

    public double? PositiveNumber(string key) =>
        Find(key) switch
        {
            null => null,
            { ValueKind: JsonValueKind.Number } value when value.TryGetDouble(out var number) && number > 0 && double.IsFinite(number) =>
                number,
            { } value => throw Unsupported(key, value, "a number above 0"),
        };

    /// <summary>A whole number from 0 up; null where there is none.</summary>
    public int? Count(string key) =>
        Find(key) switch
        {
            null => null,
            { } value when WholeNumber(value) is >= 0 and var number => number,
            { } value => throw Unsupported(key, value, "a whole number from 0 up"),
        };

    /// <summary>A number from 0 up; null where there is none.</summary>
    public double? NumberFromZero(string key) =>
        Find(key) switch
        {
            null => null,
            { ValueKind: JsonValueKind.Number } value when value.TryGetDouble(out var number) && number >= 0 && double.IsFinite(number) =>
                number,
            { } value => throw Unsupported(key, value, "a number from 0 up"),
        };

    public int RequiredPositiveInt(string key) => PositiveInt(key) ?? throw Missing(key);

    public double RequiredPositiveNumber(string key) => PositiveNumber(key) ?? throw Missing(key);

    /// <summary>A token id or a list of them; empty where there is none. −1 stands for none, too.</summary>
    public IReadOnlyList<int> TokenIds(string key)
    {
        var value = Find(key);
        return value switch
        {
            null => [],
            { ValueKind: JsonValueKind.Array } list => [.. list.EnumerateArray().Select(item => TokenId(key, item)).Where(id => id >= 0)],
            { } single => TokenId(key, single) is >= 0 and var id ? [id] : [],
        };
    }

    /// <summary>Says that a key, which must be there, is not.</summary>
    public ModelLoadException Missing(string key) => new($"{Path} has no \"{key}\". Download the model again.");

    /// <summary>Says that a value can't be worked with, and what could.</summary>
    public ModelLoadException Unsupported(string key, JsonElement value, string supported)
    {
        var text = value.GetRawText();
        var shown = text.Length <= ShownValueLength ? text : text[..ShownValueLength] + "…";
        return new ModelLoadException($"{Path}: \"{key}\" is {shown}; supported: {supported}.");
    }

    /// <summary>A whole number however it is written, as 12, 12.0 or 1.2e1; null if the value is none or does not fit.</summary>
    private static int? WholeNumber(JsonElement value) =>
        value.ValueKind != JsonValueKind.Number ? null
        : value.TryGetInt32(out var whole) ? whole
        : value.TryGetDouble(out var number) && number == Math.Truncate(number) && Math.Abs(number) <= int.MaxValue ? (int)number
        : null;

    private int TokenId(string key, JsonElement value) =>
        WholeNumber(value) is >= -1 and var id ? id : throw Unsupported(key, value, "a token id, a list of token ids, or null");
}
