using System.Runtime.InteropServices;

namespace Dsde.Worker.Cli;

/// <summary>
/// Ctrl-C and SIGTERM, from before the verb runs until the process has gone: whoever ends a group of processes sends two at a time, and the
/// second must not meet a program that no longer listens. Only a second Ctrl-C of somebody who has waited ends the process at once.
/// </summary>
internal static class Interruption
{
    private static readonly TimeSpan Insistence = TimeSpan.FromSeconds(1);

    private static readonly CancellationTokenSource Stop = new(); // not disposed of: a signal may come while the program ends
    private static readonly List<PosixSignalRegistration> Signals = [];
    private static long _first;

    /// <summary>Listens from now on.</summary>
    /// <returns>Cancelled by the first signal.</returns>
    public static CancellationToken Listen()
    {
        Signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, Note));
        Signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, Note));
        return Stop.Token;
    }

    private static void Note(PosixSignalContext signal)
    {
        var now = TimeProvider.System.GetTimestamp();
        var first = Interlocked.CompareExchange(ref _first, now, 0);
        var insists = signal.Signal == PosixSignal.SIGINT && first != 0 && TimeProvider.System.GetElapsedTime(first, now) > Insistence;
        signal.Cancel = !insists;
        Stop.Cancel();
    }
}
