using System.Runtime.Intrinsics;

namespace Dsde.Engine.Cpu.Kernels;

/// <summary>How numbers are kept in memory. All arithmetic is in fp32.</summary>
/// <typeparam name="T">One number.</typeparam>
internal unsafe interface IElement<T>
    where T : unmanaged
{
    /// <summary>Sixteen numbers, in order.</summary>
    static abstract Vector512<float> Load(T* source);

    /// <summary>Keeps sixteen numbers, rounded to nearest even.</summary>
    static abstract void Store(T* target, Vector512<float> values);

    /// <summary>One number.</summary>
    static abstract float LoadOne(T* source);

    /// <summary>Keeps one number, rounded to nearest even.</summary>
    static abstract void StoreOne(T* target, float value);
}
