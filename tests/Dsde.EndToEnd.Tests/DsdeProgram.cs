using System.Diagnostics;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests;

/// <summary>Runs the built program as users do.</summary>
internal static class DsdeProgram
{
    private static readonly string ProgramPath = Path.Combine(
        Directory.GetParent(AppContext.BaseDirectory.TrimEnd('/'))!.Parent!.FullName,
        "Dsde.Worker",
        Path.GetFileName(AppContext.BaseDirectory.TrimEnd('/')),
        "dsde"
    );

    public sealed record Ended(int ExitCode, string Output, string Error);

    /// <summary>Runs a verb to its end.</summary>
    public static Task<Ended> RunAsync(params string[] arguments) => RunAsync([], arguments);

    /// <summary>Runs a verb to its end with variables set.</summary>
    public static Task<Ended> RunAsync(IEnumerable<(string Name, string Value)> environment, params string[] arguments) =>
        RunInAsync(Repository.Root, environment, arguments);

    /// <summary>Runs a verb to its end in a folder.</summary>
    public static async Task<Ended> RunInAsync(
        string folder,
        IEnumerable<(string Name, string Value)> environment,
        params string[] arguments
    )
    {
        using var process = StartIn(folder, environment, arguments);
        return await EndAsync(process);
    }

    /// <summary>Runs a command as it is typed into a shell.</summary>
    public static async Task<Ended> RunTypedAsync(IEnumerable<(string Name, string Value)> environment, string command)
    {
        string[] shell = ["bash", "-c", $"dsde() {{ '{ProgramPath}' \"$@\"; }}; {command}"];
        using var process = StartCommandIn(Repository.Root, environment, shell);
        return await EndAsync(process);
    }

    private static async Task<Ended> EndAsync(Process process)
    {
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return new Ended(process.ExitCode, await output, await error);
    }

    /// <summary>Sends a signal and waits for the end.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> SignalAsync(Process process, string signal, TimeSpan patience)
    {
        Process.Start("kill", [$"-{signal}", $"{process.Id}"]).Dispose();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(patience);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw new TimeoutException($"The program had not ended {patience.TotalSeconds} s after SIG{signal}.");
        }

        return process.ExitCode;
    }

    /// <summary>Starts a verb.</summary>
    public static Process Start(IEnumerable<(string Name, string Value)> environment, params string[] arguments) =>
        StartIn(Repository.Root, environment, arguments);

    /// <summary>Starts a verb in a folder.</summary>
    public static Process StartIn(string folder, IEnumerable<(string Name, string Value)> environment, string[] arguments) =>
        StartCommandIn(folder, environment, [ProgramPath, .. arguments]);

    private static Process StartCommandIn(string folder, IEnumerable<(string Name, string Value)> environment, string[] command)
    {
        // Whoever runs the tests in the background of a shell leaves programs that would ignore SIGINT.
        var start = new ProcessStartInfo("env", ["--default-signal=INT", .. command])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        start.Environment["OMP_WAIT_POLICY"] = "PASSIVE";
        // .NET's socket for debuggers would stay in the temporary directory of who is killed
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start) ?? throw new InvalidOperationException($"{ProgramPath} could not be started.");
    }
}
