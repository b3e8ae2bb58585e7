using System.Diagnostics;
using Dsde.Testing;

namespace Dsde.Deployment.Tests;

/// <summary>How a program ended, and what it said.</summary>
internal sealed record Ended(int ExitCode, string Output, string Error);

/// <summary>Runs programs as a shell does, from the root of the sources.</summary>
internal static class Command
{
    /// <summary>Runs a program to its end.</summary>
    /// <param name="arguments">The program, then its arguments.</param>
    /// <param name="input">What it reads.</param>
    /// <param name="folder">Where it runs; null for the root of the sources.</param>
    /// <param name="environment">More variables.</param>
    public static async Task<Ended> RunAsync(
        string[] arguments,
        string input = "",
        string? folder = null,
        params (string Name, string Value)[] environment
    )
    {
        var start = new ProcessStartInfo(arguments[0], arguments[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? Repository.Root,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{arguments[0]} could not be started.");
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return new Ended(process.ExitCode, await output, await error);
    }
}
