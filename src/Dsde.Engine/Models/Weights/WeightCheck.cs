using Dsde.Engine.Cpu.Kernels;
using Dsde.Engine.Cpu.Memory;
using static TorchSharp.torch;

namespace Dsde.Engine.Models.Weights;

/// <summary>
/// Looks a weight over before it is used. A single NaN or infinity among billions makes every token garbage, and one that only becomes
/// infinite in the type computed in does so, too. It costs one reading of what is then copied from the same cache.
/// </summary>
internal static class WeightCheck
{
    /// <summary>Refuses a weight that has something else than numbers.</summary>
    /// <param name="path">The file, for the message.</param>
    /// <param name="name">The weight, for the message.</param>
    /// <param name="stored">As it is stored, mapped: bf16, fp16 or fp32, in one piece.</param>
    /// <param name="type">The type computed in.</param>
    /// <exception cref="ModelLoadException">A number is none, or leaves the range of the type.</exception>
    public static unsafe void RequireNumbers(string path, string name, Tensor stored, ScalarType type)
    {
        var start = NativeTensor.Address(stored);
        var largest =
            stored.dtype == ScalarType.Float32
                ? LargestMagnitude.OfSingles((uint*)start, stored.NumberOfElements)
                : LargestMagnitude.OfHalves((ushort*)start, stored.NumberOfElements);
        if (largest >= Infinity(stored.dtype))
        {
            throw new ModelLoadException(
                $"{path}: {name} holds values that are no numbers (NaN or infinity), and every output would be garbage. Download the file "
                    + "again, or take another version of the model."
            );
        }

        if (largest >= Overflow(stored.dtype, type))
        {
            throw new ModelLoadException(
                $"{path}: {name} holds numbers that are infinite in {type}. Use {nameof(EngineOptions.DataType)} "
                    + $"{(type == ScalarType.Float16 ? "bf16 or fp32" : "fp32")}."
            );
        }
    }

    private static uint Infinity(ScalarType stored) =>
        stored switch
        {
            ScalarType.Float32 => 0x7F80_0000,
            ScalarType.BFloat16 => 0x7F80,
            _ => 0x7C00,
        };

    /// <summary>The smallest magnitude, as bits of the stored type, that rounds to infinity in the type computed in.</summary>
    private static uint Overflow(ScalarType stored, ScalarType type) =>
        (stored, type) switch
        {
            (ScalarType.Float32, ScalarType.Float16) => BitConverter.SingleToUInt32Bits(65_520f),
            (ScalarType.Float32, ScalarType.BFloat16) => 0x7F7F_8000,
            (ScalarType.BFloat16, ScalarType.Float16) => 0x4780, // 65,536
            _ => uint.MaxValue,
        };
}
