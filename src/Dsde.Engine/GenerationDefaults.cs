using System.Globalization;

namespace Dsde.Engine;

/// <summary>
/// What a model's makers recommend for requests that leave a field open (<c>generation_config.json</c>). Whoever makes requests applies
/// them; the engine itself takes a request as it stands.
/// </summary>
public sealed record GenerationDefaults
{
    /// <summary>No recommendation at all.</summary>
    public static GenerationDefaults None { get; } = new();

    /// <summary>Sampling temperature, 0 to 2; null for none.</summary>
    public double? Temperature { get; init; }

    /// <summary>Nucleus mass, above 0 to 1; null for none.</summary>
    public double? TopP { get; init; }

    /// <summary>Number of most probable tokens kept; 0 for all; null for none.</summary>
    public int? TopK { get; init; }

    /// <summary>Fraction of the most probable token's probability below which tokens are dropped, 0 to 1; null for none.</summary>
    public double? MinP { get; init; }

    /// <summary>Above 0 to 100; null for none.</summary>
    public double? RepetitionPenalty { get; init; }

    /// <summary>Most tokens of any request, whatever it asks for; null for no such limit.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>The recommendations in the file's own words, as <c>temperature 0.7, top_p 0.8</c>; <c>none</c> if there are none.</summary>
    public override string ToString()
    {
        (string Key, double? Value)[] values =
        [
            ("temperature", Temperature),
            ("top_p", TopP),
            ("top_k", TopK),
            ("min_p", MinP),
            ("repetition_penalty", RepetitionPenalty),
            ("max_new_tokens", MaxTokens),
        ];
        var given = values.Where(value => value.Value is not null);
        return this == None
            ? "none"
            : string.Join(", ", given.Select(value => string.Create(CultureInfo.InvariantCulture, $"{value.Key} {value.Value}")));
    }
}
