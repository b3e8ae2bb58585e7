using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Dsde.EndToEnd.Tests;

/// <summary>A client verb at work, whose lines are read as it writes them.</summary>
internal sealed class ClientUnderTest : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly Process _process;
    private readonly ProcessLog _log;

    private ClientUnderTest(Process process)
    {
        _process = process;
        _log = new ProcessLog(process);
    }

    public static ClientUnderTest Start(IEnumerable<(string Name, string Value)> environment, params string[] arguments) =>
        new(DsdeProgram.Start(environment, arguments));

    /// <summary>Waits until it has written a text.</summary>
    public async Task WaitForAsync(string text)
    {
        var patience = TimeProvider.System.GetTimestamp();
        while (!_log.Text.Contains(text, StringComparison.Ordinal))
        {
            _process.HasExited.ShouldBeFalse(_log.Text);
            TimeProvider.System.GetElapsedTime(patience).ShouldBeLessThan(Patience, _log.Text);
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Waits for its end; everything it has written.</summary>
    public async Task<string> EndAsync(int exitCode)
    {
        await Task.WhenAny(_process.WaitForExitAsync(TestContext.Current.CancellationToken), Task.Delay(Patience));
        _process.HasExited.ShouldBeTrue(_log.Text);
        return await RequireAsync(_process.ExitCode, exitCode);
    }

    /// <summary>Interrupts it as Ctrl-C does; everything it has written.</summary>
    public async Task<string> InterruptAsync(int exitCode) =>
        await RequireAsync(await DsdeProgram.SignalAsync(_process, "INT", Patience), exitCode);

    /// <summary>The command of a verb that a line tells to go on with.</summary>
    public static string FindCommand(string said, string verb) => Regex.Match(said, $"(?<=: )dsde {verb} [^;\n]*").Value;

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private async Task<string> RequireAsync(int was, int exitCode)
    {
        var said = await _log.ReadToEndAsync();
        was.ShouldBe(exitCode, said);
        return said;
    }
}
