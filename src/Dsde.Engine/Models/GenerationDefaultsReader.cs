using Dsde.Engine.Models.Files;

namespace Dsde.Engine.Models;

/// <summary>
/// Reads the sampling defaults of a folder, as vLLM does: from <c>generation_config.json</c>, or from <c>config.json</c> where that is
/// missing. What else such files say of beams, other samplers and <c>do_sample</c> is not applied.
/// </summary>
internal static class GenerationDefaultsReader
{
    private const string Remedy = $"; or set {EngineOptions.SectionName}:{nameof(EngineOptions.GenerationConfig)} to none";

    /// <summary>Reads them.</summary>
    /// <exception cref="ModelLoadException">A value is out of its range.</exception>
    public static GenerationDefaults Read(string folder)
    {
        var generation = Path.Combine(folder, ModelConfigReader.GenerationFileName);
        var file = JsonSettings.Load(ModelFile.Exists(generation) ? generation : Path.Combine(folder, ModelConfigReader.FileName));
        return new GenerationDefaults
        {
            Temperature = Number(file, "temperature", value => value is >= 0 and <= 2, "0 to 2"),
            TopP = Number(file, "top_p", value => value is > 0 and <= 1, "more than 0 and at most 1"),
            TopK = (int?)Number(file, "top_k", IsCount, "a whole number, -1 and 0 for off") is { } topK ? Math.Max(0, topK) : null,
            MinP = Number(file, "min_p", value => value is >= 0 and <= 1, "0 to 1"),
            RepetitionPenalty = Number(file, "repetition_penalty", value => value is >= 0.01 and <= 100, "0.01 to 100"),
            MaxTokens = (int?)Number(file, "max_new_tokens", value => value >= 1 && IsCount(value), "a whole number above 0"),
        };
    }

    private static double? Number(JsonSettings file, string key, Func<double, bool> isRight, string supported) =>
        file.Find(key) switch
        {
            null => null,
            { ValueKind: System.Text.Json.JsonValueKind.Number } value when value.TryGetDouble(out var number) && isRight(number) => number,
            { } value => throw file.Unsupported(key, value, supported + Remedy),
        };

    private static bool IsCount(double value) => value is >= -1 and <= int.MaxValue && value == Math.Truncate(value);
}
