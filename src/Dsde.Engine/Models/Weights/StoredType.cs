using Dsde.Engine.Models.Files;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Weights;

/// <summary>Types that weights may be stored in.</summary>
internal static class StoredType
{
    /// <summary>A weight's type, as torch names it; null if it is none that is read.</summary>
    public static ScalarType? Find(SafetensorsEntry entry) =>
        entry.DataType switch
        {
            SafetensorsDataType.BF16 => ScalarType.BFloat16,
            SafetensorsDataType.F16 => ScalarType.Float16,
            SafetensorsDataType.F32 => ScalarType.Float32,
            _ => null,
        };

    /// <summary>A weight's type, as torch names it.</summary>
    /// <exception cref="ModelLoadException">It is none that is read.</exception>
    public static ScalarType Of(string path, string name, SafetensorsEntry entry) =>
        Find(entry)
        ?? throw new ModelLoadException(
            $"{path}: {name} is stored as {entry.DataType}. Weights in BF16, F16 and F32 are read; convert this model."
        );
}
