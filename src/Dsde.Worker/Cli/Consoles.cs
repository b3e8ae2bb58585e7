using System.CommandLine;
using Spectre.Console;

namespace Dsde.Worker.Cli;

/// <summary>Spectre's console over the streams a verb was given.</summary>
internal static class Consoles
{
    private const int PlainWidth = 140;

    /// <summary>The terminal itself if output goes there, otherwise plain text.</summary>
    public static IAnsiConsole Create(InvocationConfiguration configuration)
    {
        if (ReferenceEquals(configuration.Output, Console.Out) && !Console.IsOutputRedirected)
        {
            return AnsiConsole.Console;
        }

        var console = AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Ansi = AnsiSupport.No,
                Interactive = InteractionSupport.No,
                Out = new AnsiConsoleOutput(configuration.Output),
            }
        );
        console.Profile.Width = PlainWidth;
        return console;
    }
}
