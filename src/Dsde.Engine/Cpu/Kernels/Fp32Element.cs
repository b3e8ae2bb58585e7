using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dsde.Engine.Cpu.Kernels;

/// <summary>Single precision.</summary>
internal readonly unsafe struct Fp32Element : IElement<float>
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(float* source) => Vector512.Load(source);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* target, Vector512<float> values) => values.Store(target);

    /// <inheritdoc/>
    public static float LoadOne(float* source) => *source;

    /// <inheritdoc/>
    public static void StoreOne(float* target, float value) => *target = value;
}
