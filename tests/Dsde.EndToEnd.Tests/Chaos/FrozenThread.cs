using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Dsde.EndToEnd.Tests.Chaos;

/// <summary>
/// A thread of a child process that stands still for ever where it is, while the rest of the process goes on: what a native call is like
/// that never returns. It is traced, as a debugger would; killing the process ends it.
/// </summary>
internal static class FrozenThread
{
    private const nint Seize = 0x4206;
    private const nint Interrupt = 0x4207;
    private const nint Continue = 7;
    private const int AnyThread = 0x40000000; // __WALL
    private const string Futex = "202"; // on x86-64
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Freezes a thread in native code, where it computes or waits: one that runs managed code would hold up the collection of garbage, and
    /// with it everything.
    /// </summary>
    /// <param name="processId">The process, a child of this one.</param>
    /// <param name="name">The thread's name; at most 15 characters, as in Linux.</param>
    /// <param name="isGoingOn">
    /// Whether the rest of the process goes on, through a collection of garbage. It does not if the thread ran managed code, or was
    /// collecting itself: then it is released, and stopped at another moment.
    /// </param>
    public static async Task FreezeAsync(int processId, string name, Func<Task<bool>> isGoingOn)
    {
        var folder = Directory
            .EnumerateDirectories($"/proc/{processId}/task")
            .Single(folder => File.ReadAllText(Path.Combine(folder, "comm")).TrimEnd() == name);
        var frozen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() => Trace(folder, isGoingOn, frozen)) { IsBackground = true, Name = $"tracer of {name}" }.Start();
        await frozen.Task;
    }

    /// <summary>
    /// A thread can only be traced by one thread, which has to take note of its end, too, or the process would not end.
    /// </summary>
    private static void Trace(string folder, Func<Task<bool>> isGoingOn, TaskCompletionSource frozen)
    {
        var threadId = int.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture);
        if (ptrace(Seize, threadId, 0, 0) < 0)
        {
            frozen.SetException(Failure("can't be traced, for which a process needs the right to trace its children (ptrace)"));
            return;
        }

        for (var start = TimeProvider.System.GetTimestamp(); ; ptrace(Continue, threadId, 0, 0), Thread.Sleep(1))
        {
            if (ptrace(Interrupt, threadId, 0, 0) < 0 || waitpid(threadId, out var stopped, AnyThread) < 0 || !IsStopped(stopped))
            {
                frozen.SetException(Failure("can't be stopped"));
                return;
            }

            if (IsInNativeCode(folder) && isGoingOn().GetAwaiter().GetResult()) // on this thread, which alone may trace
            {
                break;
            }

            if (TimeProvider.System.GetElapsedTime(start) > Patience)
            {
                frozen.SetException(
                    new TimeoutException(
                        $"No moment was found in {Patience.TotalSeconds} s at which the rest of the process goes on "
                            + $"without the thread."
                    )
                );
                return;
            }
        }

        frozen.SetResult();
        while (waitpid(threadId, out var status, AnyThread) == threadId && IsStopped(status)) { }

        Win32Exception Failure(string what) => new(Marshal.GetLastPInvokeError(), $"Thread {threadId} {what}");
    }

    /// <summary>
    /// Whether a stopped thread waits for another one, or is in code that has no file and is none of the runtime's: that of the kernels
    /// that are assembled at run time, where the engine is most of the time.
    /// </summary>
    private static bool IsInNativeCode(string folder)
    {
        var call = File.ReadAllText(Path.Combine(folder, "syscall")).Split(' ', StringSplitOptions.TrimEntries);
        if (call[0] == Futex)
        {
            return true;
        }

        if (call is not ["-1", .., var counter])
        {
            return false;
        }

        var at = Convert.ToUInt64(counter, 16);
        return File.ReadLines(Path.Combine(folder, "maps"))
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Any(map =>
                map is [var range, "r-xp", _, _, _]
                && range.Split('-') is [var first, var end]
                && at >= Convert.ToUInt64(first, 16)
                && at < Convert.ToUInt64(end, 16)
            );
    }

    private static bool IsStopped(int status) => (status & 0xff) == 0x7f;

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint ptrace(nint request, nint threadId, nint address, nint data);

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int waitpid(int threadId, out int status, int options);
}
