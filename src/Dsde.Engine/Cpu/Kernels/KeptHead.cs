using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dsde.Engine.Cpu.Kernels;

/// <summary>
/// Keys and values of a head in a block of the cache, kept as the weights that the kernels of linear layers read, so that no pass lays
/// them out anew. A step is four bytes: one number of fp32, two of bf16.
/// <list type="table">
/// <item><term>keys</term><description>weights whose outputs are positions and whose inputs are the numbers of a head:
/// <c>[16 positions at a time][step of the head][position]</c></description></item>
/// <item><term>values</term><description>weights whose outputs are the numbers of a head and whose inputs are positions:
/// <c>[16 numbers at a time][step of positions][number]</c></description></item>
/// </list>
/// </summary>
/// <typeparam name="T">One number.</typeparam>
internal static unsafe class KeptHead<T>
    where T : unmanaged
{
    private const int Width = PartialRow.VectorWidth;

    /// <summary>Numbers of a head, with those that fill its last vector: w.</summary>
    public static int WidthOf(int headDim) => (headDim + Width - 1) / Width * Width;

    /// <summary>Steps of so many numbers.</summary>
    public static int StepsOf(int numbers) => numbers * sizeof(T) / sizeof(uint);

    /// <summary>Bytes from sixteen positions' keys to the next.</summary>
    public static int KeyStride(int width) => StepsOf(width) * Width * sizeof(uint);

    /// <summary>Bytes from sixteen numbers' values to the next.</summary>
    public static int ValueStride(int blockLength) => StepsOf(blockLength) * Width * sizeof(uint);

    /// <summary>Keeps a key.</summary>
    /// <param name="key">Zeros behind the head. <c>[w]</c></param>
    /// <param name="block">The head's keys in the block.</param>
    /// <param name="position">In the block.</param>
    /// <param name="width">w</param>
    public static void PutKey(T* key, T* block, int position, int width)
    {
        var from = (uint*)key;
        var steps = StepsOf(width);
        var to = (uint*)block + (position / Width * steps * Width) + (position % Width);
        for (var step = 0; step < steps; step++)
        {
            to[step * Width] = from[step];
        }
    }

    /// <summary>Keeps a value. What is behind its position in the same step becomes zero.</summary>
    /// <param name="value"><c>[d]</c></param>
    /// <param name="block">The head's values in the block.</param>
    /// <param name="position">In the block.</param>
    /// <param name="headDim">d</param>
    /// <param name="blockLength">Positions of a block.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void PutValue(T* value, T* block, int position, int headDim, int blockLength)
    {
        var stride = StepsOf(blockLength) * Width;
        var to = (uint*)block + (StepsOf(position) * Width);
        for (var d = 0; d < headDim; d += Width, to += stride)
        {
            if (typeof(T) == typeof(float))
            {
                PartialRow.Load<float, Fp32Element>((float*)value + d, headDim - d).Store((float*)to);
                continue;
            }

            var wide = headDim - d >= Width ? Bf16Element.Widen((ushort*)value + d) : WidenEnd((ushort*)value + d, headDim - d);
            var kept = position % 2 == 0 ? wide : (wide << 16) | (Vector512.Load(to) & Vector512.Create(0xFFFFu));
            kept.Store(to);
        }
    }

    /// <summary>
    /// Makes the values behind a position zeros, as far as a kernel reads that stops there: to the end of sixteen positions. What a weight
    /// of 0 is multiplied with has to be a number.
    /// </summary>
    /// <param name="block">The head's values in the block.</param>
    /// <param name="end">One past the last position that was put.</param>
    /// <param name="width">w</param>
    /// <param name="blockLength">Positions of a block.</param>
    public static void EndValues(T* block, int end, int width, int blockLength)
    {
        var (first, last) = (StepsOf(end + (sizeof(uint) / sizeof(T)) - 1), StepsOf((end + Width - 1) / Width * Width));
        for (var d = 0; d < width; d += Width)
        {
            var place = (uint*)block + (((d / Width * StepsOf(blockLength)) + first) * Width);
            new Span<uint>(place, (last - first) * Width).Clear();
        }
    }

    private static Vector512<uint> WidenEnd(ushort* numbers, int count)
    {
        var end = stackalloc ushort[Width];
        for (var i = 0; i < Width; i++)
        {
            end[i] = i < count ? numbers[i] : (ushort)0;
        }

        return Bf16Element.Widen(end);
    }
}
