using System.CommandLine;
using Dsde.Worker.Cli;

namespace Dsde.Worker.Tests.Cli;

/// <summary>The program's command line, run in the test's process with streams of its own.</summary>
internal static class CommandLine
{
    public static async Task<Ended> RunAsync(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exitCode = await DsdeCommandLine.RunAsync(args, new InvocationConfiguration { Output = output, Error = error });
        return new Ended(exitCode, output.ToString(), error.ToString());
    }

    internal sealed record Ended(int ExitCode, string Output, string Error)
    {
        public string All => Output + Error;
    }
}
