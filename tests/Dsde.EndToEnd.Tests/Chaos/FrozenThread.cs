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
    private const int AnyThread = 0x40000000; // __WALL
    private const int LongestName = 15; // of a thread, in Linux

    /// <summary>
    /// Freezes a thread while it sleeps: one that runs managed code would hold up the collection of garbage, and with it everything.
    /// </summary>
    /// <param name="processId">The process, a child of this one.</param>
    /// <param name="name">The thread's name.</param>
    public static async Task FreezeAsync(int processId, string name)
    {
        var threadId = await FindAsleepAsync(processId, name);
        var frozen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() => Trace(threadId, frozen)) { IsBackground = true, Name = $"tracer of {threadId}" }.Start();
        await frozen.Task.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
    }

    private static async Task<int> FindAsleepAsync(int processId, string name)
    {
        for (var start = TimeProvider.System.GetTimestamp(); ; await Task.Delay(50, TestContext.Current.CancellationToken))
        {
            foreach (var folder in Directory.EnumerateDirectories($"/proc/{processId}/task"))
            {
                // number (name) state …
                var fields = await File.ReadAllTextAsync(Path.Combine(folder, "stat"), TestContext.Current.CancellationToken);
                if (fields.Contains($"({name[..Math.Min(name.Length, LongestName)]}) S ", StringComparison.Ordinal))
                {
                    return int.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture);
                }
            }

            TimeProvider.System.GetElapsedTime(start).ShouldBeLessThan(TimeSpan.FromSeconds(30), $"No thread {name} sleeps.");
        }
    }

    /// <summary>A thread can only be traced by one thread, which has to take note of its end, too, or the process would not end.</summary>
    private static void Trace(int threadId, TaskCompletionSource frozen)
    {
        if (ptrace(Seize, threadId, 0, 0) < 0 || ptrace(Interrupt, threadId, 0, 0) < 0 || waitpid(threadId, out _, AnyThread) < 0)
        {
            frozen.SetException(new Win32Exception(Marshal.GetLastPInvokeError(), $"Thread {threadId} can't be traced"));
            return;
        }

        frozen.SetResult();
        while (waitpid(threadId, out var status, AnyThread) == threadId && IsStopped(status)) { }
    }

    private static bool IsStopped(int status) => (status & 0xff) == 0x7f;

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint ptrace(nint request, nint threadId, nint address, nint data);

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int waitpid(int threadId, out int status, int options);
}
