using System.Runtime.InteropServices;
using Dsde.Engine.Cpu.Memory;

namespace Dsde.Engine.Cpu.Kernels.Linear;

/// <summary>
/// Memory for packed weights, side by side in large pieces that the system may keep in huge pages: a weight by itself often holds no whole
/// huge page. What is not touched takes none.
/// </summary>
internal sealed unsafe class PackedMemory : IDisposable
{
    private const long PieceBytes = 64L << 20;
    private const long PageBytes = 2L << 20;
    private const long Alignment = 64;

    private readonly List<nint> _pieces = [];
    private long _left;
    private byte* _next;

    /// <summary>Room for some bytes, as long as this lives; what it holds is undefined.</summary>
    public void* Take(long bytes)
    {
        bytes = (bytes + Alignment - 1) / Alignment * Alignment;
        if (bytes > _left)
        {
            var length = (Math.Max(bytes, PieceBytes) + PageBytes - 1) / PageBytes * PageBytes;
            _next = (byte*)NativeMemory.AlignedAlloc((nuint)length, (nuint)PageBytes);
            _left = length;
            _pieces.Add((nint)_next);
            HugePages.Prefer(_next, length);
        }

        var taken = _next;
        _next += bytes;
        _left -= bytes;
        return taken;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var piece in _pieces)
        {
            NativeMemory.AlignedFree((void*)piece);
        }

        _pieces.Clear();
        _left = 0;
    }
}
