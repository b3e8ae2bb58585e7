using System.Text.Json;
using Dsde.Engine.Models.Files;

namespace Dsde.Engine.Models.Families;

/// <summary>The families the decoder covers.</summary>
internal static class ModelFamilies
{
    private static readonly IModelFamily[] All =
    [
        new LlamaFamily(),
        new MistralFamily(),
        new Qwen2Family(),
        new Qwen3Family(),
        new Gemma2Family(),
    ];

    /// <summary>The family a configuration names.</summary>
    /// <exception cref="ModelLoadException">It names none, several, or one that is not covered.</exception>
    public static IModelFamily Find(JsonSettings settings)
    {
        var architectures = settings.Find("architectures") ?? throw settings.Missing("architectures");
        var named =
            architectures.ValueKind == JsonValueKind.Array
            && architectures.GetArrayLength() == 1
            && architectures[0].ValueKind == JsonValueKind.String
                ? architectures[0].GetString()
                : null;
        return All.FirstOrDefault(family => family.Architecture == named)
            ?? throw settings.Unsupported(
                "architectures",
                architectures,
                string.Join(", ", All.Select(family => $"[\"{family.Architecture}\"] ({family.Name})"))
            );
    }
}
