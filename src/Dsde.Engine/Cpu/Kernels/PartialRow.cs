using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dsde.Engine.Cpu.Kernels;

/// <summary>Access to up to sixteen numbers, for the ends of rows.</summary>
internal static unsafe class PartialRow
{
    /// <summary>Numbers in a vector.</summary>
    public const int VectorWidth = 16;

    /// <summary>The first <paramref name="count"/> numbers, zeros behind them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load<T, TElement>(T* source, int count)
        where T : unmanaged
        where TElement : IElement<T> => count >= VectorWidth ? TElement.Load(source) : LoadEnd<T, TElement>(source, count);

    /// <summary>Keeps the first <paramref name="count"/> numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T, TElement>(T* target, Vector512<float> values, int count)
        where T : unmanaged
        where TElement : IElement<T>
    {
        if (count >= VectorWidth)
        {
            TElement.Store(target, values);
        }
        else
        {
            StoreEnd<T, TElement>(target, values, count);
        }
    }

    private static Vector512<float> LoadEnd<T, TElement>(T* source, int count)
        where T : unmanaged
        where TElement : IElement<T>
    {
        var values = stackalloc float[VectorWidth];
        for (var i = 0; i < VectorWidth; i++)
        {
            values[i] = i < count ? TElement.LoadOne(source + i) : 0;
        }

        return Vector512.Load(values);
    }

    private static void StoreEnd<T, TElement>(T* target, Vector512<float> values, int count)
        where T : unmanaged
        where TElement : IElement<T>
    {
        for (var i = 0; i < count; i++)
        {
            TElement.StoreOne(target + i, values.GetElement(i));
        }
    }
}
