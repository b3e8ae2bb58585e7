using System.Collections.Frozen;
using System.Text.Json;

namespace Dsde.Contracts;

/// <summary>
/// What the value of a field has to be, and what is said of one that isn't: the same words wherever a job comes from. Of a wrong value only
/// what can't be a part of a prompt is repeated.
/// </summary>
public sealed class FieldForm
{
    private const int LongestShown = 32;
    private const int LongestShownName = 64;

    private readonly Func<JsonElement, string?> _findExpected;
    private readonly FieldForm? _part;
    private readonly Func<string, JsonElement, string?>? _findInside;

    /// <param name="findExpected">What a value had to be; null if it is that.</param>
    /// <param name="part">What each value in a list or an object has to be.</param>
    /// <param name="findInside">The first mistake in a value that may have any form inside, by the field's name; null without one.</param>
    private FieldForm(
        Func<JsonElement, string?> findExpected,
        FieldForm? part = null,
        Func<string, JsonElement, string?>? findInside = null
    ) => (_findExpected, _part, _findInside) = (findExpected, part, findInside);

    /// <summary>A text.</summary>
    public static FieldForm Text { get; } =
        new(value => Unless(value.ValueKind == JsonValueKind.String && value.GetString() is not null, "a string"));

    /// <summary>Yes or no.</summary>
    public static FieldForm Flag { get; } =
        new(value => Unless(value.ValueKind is JsonValueKind.True or JsonValueKind.False, "true or false"));

    /// <summary>Any number, also one that is too large for its type: what is allowed is the field's to say.</summary>
    public static FieldForm Number { get; } = new(value => Unless(value.ValueKind == JsonValueKind.Number, "a number"));

    /// <summary>A whole number of 64 bits.</summary>
    public static FieldForm Long { get; } =
        new(value => FindExpected(value, (long.MinValue, long.MaxValue), (long.MinValue, long.MaxValue)));

    /// <summary>A whole number of 32 bits.</summary>
    public static FieldForm Integer { get; } = IntegerWithin((int.MinValue, int.MaxValue));

    private static FieldForm TokenId { get; } = IntegerWithin((0, int.MaxValue));

    /// <summary>A moment; UTC if it has no offset.</summary>
    public static FieldForm Moment { get; } =
        new(value => Unless(InstantConverter.TryRead(value, out _), "a moment such as \"2026-11-26T12:00:00Z\" (UTC if it has no offset)"));

    /// <summary>An id.</summary>
    public static FieldForm Id { get; } =
        new(value =>
            Unless(
                value.ValueKind == JsonValueKind.String && value.TryGetGuid(out _),
                "a UUID such as 7e6f0a52-5a38-4f3e-9f0c-2f1a6d1f4a11"
            )
        );

    /// <summary>Token ids.</summary>
    public static FieldForm TokenIds { get; } = ListOf(TokenId, "a list of token ids");

    private static FieldForm OnePrompt { get; } = PromptOr("a string or a list of token ids", FindMistakeInPrompt);

    /// <summary>What is continued: a text, token ids, or several of these.</summary>
    public static FieldForm Prompts { get; } = PromptOr("a string, a list of token ids, or a list of these", FindMistakeInPrompts);

    /// <summary>Texts.</summary>
    public static FieldForm Texts { get; } = ListOf(Text, "a list of strings");

    /// <summary>Numbers by token id.</summary>
    public static FieldForm TokenNumbers { get; } = MapOf(Number, "an object of token ids with numbers");

    /// <summary>Texts by label.</summary>
    public static FieldForm Labels { get; } = MapOf(Text, "an object whose values are strings");

    /// <summary>A turn of a chat; what is in it is looked at elsewhere.</summary>
    public static FieldForm Turn { get; } =
        new(value => Unless(value.ValueKind == JsonValueKind.Object, "an object with role and content"));

    /// <summary>The turns of a chat.</summary>
    public static FieldForm Turns { get; } = ListOf(Turn, "a list of messages");

    /// <summary>Objects of any kind.</summary>
    public static FieldForm Objects { get; } =
        ListOf(
            new(value => Unless(value.ValueKind == JsonValueKind.Object, "an object"), findInside: JsonValues.FindMistake),
            "a list of objects"
        );

    /// <summary>A value of any kind.</summary>
    public static FieldForm Value { get; } = new(_ => null, findInside: JsonValues.FindMistake);

    /// <summary>Values of any kind by name.</summary>
    public static FieldForm Values { get; } = MapOf(Value, "an object");

    private static readonly FrozenDictionary<string, FieldForm> OfRanges = JobRules.Ranges.ToFrozenDictionary(
        range => range.Key,
        range => IntegerWithin(range.Value)
    );

    private static readonly Dictionary<Type, FieldForm> ByType = new()
    {
        [typeof(string)] = Text,
        [typeof(bool)] = Flag,
        [typeof(double)] = Number,
        [typeof(long)] = Long,
        [typeof(int)] = Integer,
        [typeof(DateTimeOffset)] = Moment,
        [typeof(Guid)] = Id,
        [typeof(JsonElement)] = Value,
        [typeof(JobPrompts)] = Prompts,
        [typeof(IReadOnlyList<int>)] = TokenIds,
        [typeof(IReadOnlyList<string>)] = Texts,
        [typeof(IReadOnlyDictionary<string, double>)] = TokenNumbers,
        [typeof(IReadOnlyDictionary<string, string>)] = Labels,
        [typeof(IReadOnlyList<ChatMessage>)] = Turns,
        [typeof(IReadOnlyList<JsonElement>)] = Objects,
        [typeof(IReadOnlyDictionary<string, JsonElement>)] = Values,
    };

    /// <summary>What a property of a message has to be.</summary>
    /// <param name="property">Its name.</param>
    /// <param name="type">Its type.</param>
    /// <exception cref="KeyNotFoundException">No message has properties of that type.</exception>
    public static FieldForm Of(string property, Type type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return OfRanges.GetValueOrDefault(property) ?? ByType[Nullable.GetUnderlyingType(type) ?? type];
    }

    /// <summary>
    /// A whole number of 32 bits. Whether it is one of those that are allowed is the field's to say, who can show it; of one that has no
    /// room in its type it is said here.
    /// </summary>
    /// <param name="allowed">The least and the most that is allowed.</param>
    private static FieldForm IntegerWithin((int Least, int Most) allowed) =>
        new(value => FindExpected(value, (int.MinValue, int.MaxValue), allowed));

    /// <summary>What is wrong with a value; null if nothing is.</summary>
    /// <param name="name">The field, called as where it comes from.</param>
    /// <param name="value">Its value.</param>
    public string? FindMistake(string name, JsonElement value)
    {
        try
        {
            return FindMistake(name, value, showsText: _part is null);
        }
        catch (InvalidOperationException)
        {
            // The parser lets broken UTF-8 and lone surrogates pass until a string is asked for.
            return $"{name} has text that is not valid Unicode; give UTF-8, and surrogates in pairs.";
        }
    }

    /// <summary>Says that a value is of another form.</summary>
    /// <param name="name">The field, called as where it comes from.</param>
    /// <param name="expected">What it had to be.</param>
    /// <param name="value">What it is.</param>
    /// <param name="showsText">Whether it is repeated if it is a text; not where it may be a prompt's.</param>
    public static string Wrong(string name, string expected, JsonElement value, bool showsText) =>
        $"{name} must be {expected}, but is {Show(value, showsText)}.";

    /// <summary>A value as it was written, or the beginning of it; of lists and objects only that they are some.</summary>
    /// <param name="value">The value.</param>
    /// <param name="showsText">Whether it is repeated if it is a text.</param>
    public static string Show(JsonElement value, bool showsText)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Array:
                return "a list";
            case JsonValueKind.Object:
                return "an object";
            case JsonValueKind.String when !showsText || !JobRules.IsPlain(value.GetRawText()):
                return "a string";
            default:
                var raw = value.GetRawText();
                return raw.Length <= LongestShown ? raw : string.Concat(raw.AsSpan(0, LongestShown), "…");
        }
    }

    private string? FindMistake(string name, JsonElement value, bool showsText) =>
        _findExpected(value) is { } expected ? Wrong(name, expected, value, showsText)
        : _findInside?.Invoke(name, value) is { } inside ? inside
        : _part is null ? null
        : FindMistakes(_part, name, value).FirstOrDefault(mistake => mistake is not null);

    private static IEnumerable<string?> FindMistakes(FieldForm part, string name, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Array)
        {
            return value.EnumerateArray().Select((entry, index) => part.FindMistake($"{name}[{index}]", entry, showsText: false));
        }

        var labels = new HashSet<string>(StringComparer.Ordinal);
        return value
            .EnumerateObject()
            .Select(entry =>
                labels.Add(entry.Name)
                    ? part.FindMistake($"{name} of {ShowLabel(entry.Name)}", entry.Value, showsText: false)
                    : $"{name} has {ShowLabel(entry.Name)} twice; give it once."
            );
    }

    private static string ShowLabel(string label) => label.Length <= LongestShownName && JobRules.IsPlain(label) ? $"'{label}'" : "'...'";

    private static string? Unless(bool isRight, string expected) => isRight ? null : expected;

    private static string? FindExpected(JsonElement value, (long Least, long Most) readable, (long Least, long Most) allowed) =>
        WholeNumbers.TryRead(value, out var number) && number >= readable.Least && number <= readable.Most ? null
        : WholeNumbers.IsWhole(value) ? $"a whole number from {allowed.Least} to {allowed.Most}"
        : "a whole number";

    private static FieldForm PromptOr(string expected, Func<string, JsonElement, string?> findInside) =>
        new(
            value =>
                Unless(
                    value.ValueKind == JsonValueKind.Array || value.ValueKind == JsonValueKind.String && value.GetString() is not null,
                    expected
                ),
            findInside: findInside
        );

    private static string? FindMistakeInPrompts(string name, JsonElement value) =>
        JobPrompts.AreSeveral(value)
            ? value
                .EnumerateArray()
                .Select((prompt, index) => OnePrompt.FindMistake($"{name}[{index}]", prompt, showsText: false))
                .FirstOrDefault(mistake => mistake is not null)
            : FindMistakeInPrompt(name, value);

    private static string? FindMistakeInPrompt(string name, JsonElement value) =>
        value.ValueKind == JsonValueKind.Array ? TokenIds.FindMistake(name, value, showsText: false) : null;

    private static FieldForm ListOf(FieldForm part, string expected) =>
        new(value => Unless(value.ValueKind == JsonValueKind.Array, expected), part);

    private static FieldForm MapOf(FieldForm part, string expected) =>
        new(value => Unless(value.ValueKind == JsonValueKind.Object, expected), part);
}
