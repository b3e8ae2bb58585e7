namespace Dsde.Engine.Cpu.Threads;

/// <summary>When work is large enough to be shared.</summary>
internal static class WorkSize
{
    /// <summary>
    /// Multiplications below which a second thread costs more than it brings: handing over takes one to two microseconds, in which one
    /// thread does some ten thousand of them, and a worker that has gone to sleep takes ten times as long to wake.
    /// </summary>
    private const long SmallestShared = 300_000;

    /// <summary>Whether to share work of so many multiplications.</summary>
    public static bool IsWorthSharing(long multiplications) => multiplications >= SmallestShared;
}
