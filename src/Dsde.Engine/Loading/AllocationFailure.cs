using System.Runtime.InteropServices;

namespace Dsde.Engine.Loading;

/// <summary>
/// Recognises that memory has run out. Torch has no error of its own for it in .NET: all its errors are one type, and only their text
/// tells.
/// </summary>
internal static class AllocationFailure
{
    /// <summary>As the CUDA allocator, the CPU allocator on Linux, and that on other systems say it.</summary>
    private static readonly string[] Texts = ["out of memory", "can't allocate memory", "not enough memory"];

    /// <summary>Whether an exception means that.</summary>
    public static bool Is(Exception exception) =>
        exception is OutOfMemoryException
        || (exception is ExternalException && Texts.Any(text => exception.Message.Contains(text, StringComparison.OrdinalIgnoreCase)));
}
