using System.Text.Json;
using Dsde.Engine.Models.Files;

namespace Dsde.Engine.Models.Families;

/// <summary>The families the decoder covers.</summary>
internal static class ModelFamilies
{
    private const string Architectures = "architectures";
    private const string ModelType = "model_type";

    private static readonly IModelFamily[] All =
    [
        new LlamaFamily(),
        new MistralFamily(),
        new Qwen2Family(),
        new Qwen3Family(),
        new Gemma2Family(),
    ];

    /// <summary>The family a configuration names: by its architecture, or where it has none by its model type.</summary>
    /// <exception cref="ModelLoadException">It names none, several, two different ones, or one that is not covered.</exception>
    public static IModelFamily Find(JsonSettings settings)
    {
        var byType = All.FirstOrDefault(family => family.ModelType == settings.String(ModelType));
        if (
            settings.Find(Architectures) is not { } architectures
            || architectures is { ValueKind: JsonValueKind.Array } && architectures.GetArrayLength() == 0
        )
        {
            return byType
                ?? throw (
                    settings.Find(ModelType) is { } type
                        ? settings.Unsupported(ModelType, type, string.Join(", ", All.Select(family => $"\"{family.ModelType}\"")))
                        : settings.Missing(Architectures)
                );
        }

        var named =
            architectures.ValueKind == JsonValueKind.Array
            && architectures.GetArrayLength() == 1
            && architectures[0].ValueKind == JsonValueKind.String
                ? architectures[0].GetString()
                : null;
        var byArchitecture =
            All.FirstOrDefault(family => family.Architecture == named)
            ?? throw settings.Unsupported(
                Architectures,
                architectures,
                string.Join(", ", All.Select(family => $"[\"{family.Architecture}\"] ({family.Name})"))
            );
        return byType is null || byType == byArchitecture
            ? byArchitecture
            : throw new ModelLoadException(
                $"{settings.Path}: \"{Architectures}\" names {byArchitecture.Name}, \"{ModelType}\" {byType.Name}, and one of them is "
                    + "wrong. Put right which, or download the file again."
            );
    }
}
