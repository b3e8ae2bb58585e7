using System.Runtime.InteropServices;

namespace Dsde.Engine.Cpu.Memory;

/// <summary>
/// Machine code that was made at run time. Memory is written while it can't be executed and executed once it can't be written any more;
/// hardened systems refuse even that.
/// </summary>
internal static unsafe partial class ExecutableMemory
{
    private const int Read = 1; // PROT_READ
    private const int Write = 2; // PROT_WRITE
    private const int Execute = 4; // PROT_EXEC
    private const int PrivateAnonymous = 0x22; // MAP_PRIVATE | MAP_ANONYMOUS

    /// <summary>Puts code into memory of its own, where it stays until the process ends.</summary>
    /// <param name="code">Instructions that don't depend on where they are.</param>
    /// <returns>The first instruction; null where the system does not allow it.</returns>
    public static void* TryPlace(ReadOnlySpan<byte> code)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        var length = (nuint)code.Length;
        var memory = Map(null, length, Read | Write, PrivateAnonymous, -1, 0);
        if ((nint)memory == -1)
        {
            return null;
        }

        code.CopyTo(new Span<byte>(memory, code.Length));
        if (Protect(memory, length, Read | Execute) == 0)
        {
            return memory;
        }

        _ = Unmap(memory, length);
        return null;
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(void* address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(void* address, nuint length);
}
