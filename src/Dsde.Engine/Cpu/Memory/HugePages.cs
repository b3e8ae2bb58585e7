using System.Runtime.InteropServices;

namespace Dsde.Engine.Cpu.Memory;

/// <summary>
/// Larger pages for memory that is streamed through: with pages of 4 KB looking up their addresses costs a part of the bandwidth.
/// </summary>
internal static unsafe partial class HugePages
{
    private const long PageSize = 2L << 20;
    private const int Huge = 14; // MADV_HUGEPAGE
    private const int Collapse = 25; // MADV_COLLAPSE, since Linux 6.1

    /// <summary>
    /// Moves what lies in whole huge pages into them, contents unchanged. Advice only: where the system does not do it (older kernels,
    /// mapped files) all stays as it is.
    /// </summary>
    public static void Advise(void* start, long length) => Advise(start, length, Collapse);

    /// <summary>Asks for huge pages where memory is touched for the first time.</summary>
    public static void Prefer(void* start, long length) => Advise(start, length, Huge);

    private static void Advise(void* start, long length, int advice)
    {
        var first = ((nint)start + PageSize - 1) / PageSize * PageSize;
        var end = ((nint)start + length) / PageSize * PageSize;
        if (OperatingSystem.IsLinux() && end > first)
        {
            _ = MemoryAdvice((void*)first, (nuint)(end - first), advice);
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int MemoryAdvice(void* start, nuint length, int advice);
}
