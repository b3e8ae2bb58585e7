using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Dsde.Engine.Cpu.Kernels;

/// <summary>
/// bfloat16: the upper half of single precision, so that widening is a shift. .NET 10 has no binding for the processor's own bf16 products;
/// widened ones are exact, and at few rows memory is what limits.
/// </summary>
internal readonly unsafe struct Bf16Element : IElement<ushort>
{
    private const ushort NotANumber = 0x7FC0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(ushort* source) => (Widen(source) << 16).AsSingle();

    /// <summary>The bits of sixteen numbers, each in the lower half of its lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Widen(ushort* source)
    {
        var narrow = Vector256.Load(source);
        return Avx512F.IsSupported
            ? Avx512F.ConvertToVector512UInt32(narrow)
            : Vector512.Create(Vector256.WidenLower(narrow), Vector256.WidenUpper(narrow));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(ushort* target, Vector512<float> values)
    {
        var bits = values.AsUInt32();
        var rounded = (bits + Vector512.Create(0x7FFFu) + ((bits >>> 16) & Vector512<uint>.One)) >>> 16;
        var kept = Vector512.ConditionalSelect(Vector512.Equals(values, values).AsUInt32(), rounded, Vector512.Create((uint)NotANumber));
        var narrow = Avx512F.IsSupported ? Avx512F.ConvertToVector256UInt16(kept) : Vector256.Narrow(kept.GetLower(), kept.GetUpper());
        narrow.Store(target);
    }

    /// <summary>The nearest bf16, even where two are as near; NaN stays as long as it has not all bits set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Round(Vector512<float> values)
    {
        var bits = values.AsUInt32();
        return ((bits + Vector512.Create(0x7FFFu) + ((bits >>> 16) & Vector512<uint>.One)) & Vector512.Create(0xFFFF_0000u)).AsSingle();
    }

    /// <inheritdoc/>
    public static float LoadOne(ushort* source) => BitConverter.UInt32BitsToSingle((uint)*source << 16);

    /// <inheritdoc/>
    public static void StoreOne(ushort* target, float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        *target = float.IsNaN(value) ? NotANumber : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}
