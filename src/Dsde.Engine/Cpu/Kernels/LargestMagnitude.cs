using System.Numerics;
using System.Runtime.CompilerServices;

namespace Dsde.Engine.Cpu.Kernels;

/// <summary>
/// The largest magnitude among floats, as bits without the sign: these are ordered as the magnitudes are, with infinity above all numbers
/// and NaN above that, so that one pass of integer maxima tells whether all of them are numbers, at the speed of memory.
/// </summary>
internal static unsafe class LargestMagnitude
{
    /// <summary>Bytes a thread takes at once: a file's pages are read ahead in larger pieces.</summary>
    private const long PieceBytes = 4L << 20;

    /// <summary>Of floats of two bytes, of either kind.</summary>
    public static uint OfHalves(ushort* start, long count) => Find(start, count, (ushort)0x7FFF);

    /// <summary>Of floats of four bytes.</summary>
    public static uint OfSingles(uint* start, long count) => Find(start, count, 0x7FFF_FFFFu);

    private static uint Find<T>(T* start, long count, T withoutSign)
        where T : unmanaged, IBinaryInteger<T>
    {
        var pieceLength = PieceBytes / sizeof(T);
        var largest = 0u;
        Parallel.For(
            0,
            (count + pieceLength - 1) / pieceLength,
            piece =>
            {
                var first = piece * pieceLength;
                var found = FindInPiece(start + first, (int)Math.Min(pieceLength, count - first), withoutSign);
                for (var seen = Volatile.Read(ref largest); found > seen; )
                {
                    seen = Interlocked.CompareExchange(ref largest, found, seen);
                }
            }
        );
        return largest;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static uint FindInPiece<T>(T* start, int count, T withoutSign)
        where T : unmanaged, IBinaryInteger<T>
    {
        var mask = new Vector<T>(withoutSign);
        Vector<T> first = default,
            second = default;
        var (i, width) = (0, Vector<T>.Count);
        for (; i <= count - (2 * width); i += 2 * width)
        {
            first = Vector.Max(first, Vector.Load(start + i) & mask);
            second = Vector.Max(second, Vector.Load(start + i + width) & mask);
        }

        var vector = Vector.Max(first, second);
        var largest = T.Zero;
        for (var lane = 0; lane < width; lane++)
        {
            largest = T.Max(largest, vector[lane]);
        }

        for (; i < count; i++)
        {
            largest = T.Max(largest, start[i] & withoutSign);
        }

        return uint.CreateTruncating(largest);
    }
}
