using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Dsde.Engine.Cpu.Memory;
using Dsde.Engine.Cpu.Threads;

namespace Dsde.Engine.Benchmarking;

/// <summary>
/// Reads a buffer much larger than the caches, with all threads, and nothing else: the bandwidth that streaming weights can reach.
/// </summary>
internal sealed unsafe class MemoryReader : ITeamWork, IDisposable
{
    private const long BufferBytes = 512L << 20;
    private const int ItemBytes = 1 << 20;
    private const nuint Alignment = 4096;

    private readonly ThreadTeam _team;
    private readonly byte* _buffer;
    private long _found; // keeps the reads from being optimised away

    public MemoryReader(int threadCount)
    {
        _team = new ThreadTeam(threadCount);
        _buffer = (byte*)NativeMemory.AlignedAlloc((nuint)BufferBytes, Alignment);
        NativeMemory.Fill(_buffer, (nuint)BufferBytes, 1); // memory never written is one and the same page of zeros
        HugePages.Advise(_buffer, BufferBytes); // as the weights are
    }

    /// <summary>Bytes that <see cref="Read"/> reads.</summary>
    public static long ByteCount => BufferBytes;

    /// <summary>Reads the buffer once.</summary>
    public void Read() => _team.Run(this, (int)(BufferBytes / ItemBytes));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(int item)
    {
        var start = (ulong*)(_buffer + ((long)item * ItemBytes));
        Vector512<ulong> a = default,
            b = default,
            c = default,
            d = default;
        for (var i = 0; i < ItemBytes / sizeof(ulong); i += 32)
        {
            a |= Vector512.Load(start + i);
            b |= Vector512.Load(start + i + 8);
            c |= Vector512.Load(start + i + 16);
            d |= Vector512.Load(start + i + 24);
        }

        Interlocked.Or(ref _found, (long)((a | b) | (c | d)).ToScalar());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _team.Dispose();
        NativeMemory.AlignedFree(_buffer);
    }
}
