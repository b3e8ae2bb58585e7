using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Worker.Cli;

/// <summary>The usual help, with arguments that may be left out in square brackets; then the verb's examples.</summary>
internal sealed class HelpWithExamples(HelpAction help) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var command = parseResult.CommandResult.Command;
        var configuration = parseResult.InvocationConfiguration;
        var output = configuration.Output;
        using var usual = new StringWriter();
        configuration.Output = usual;
        int exitCode;
        try
        {
            exitCode = help.Invoke(parseResult);
        }
        finally
        {
            configuration.Output = output;
        }

        output.Write(string.Join('\n', usual.ToString().Split('\n').Select(line => MarkOptional(line, command))));
        if (command is DsdeCommand { Examples: { Count: > 0 } examples })
        {
            output.WriteLine(examples.Count == 1 ? "Example:" : "Examples:");
            foreach (var example in examples)
            {
                output.WriteLine($"  {example}");
            }

            output.WriteLine();
        }

        return exitCode;
    }

    /// <summary>A line of the lists of arguments and of verbs, where the usual help shows every argument like one that is needed.</summary>
    private static string MarkOptional(string line, Command command)
    {
        foreach (var argument in command.Arguments.Where(IsOptional))
        {
            line = line.StartsWith($"  <{argument.Name}> ", StringComparison.Ordinal) ? Mark(line, argument) : line;
        }

        return command.Subcommands.FirstOrDefault(verb => line.StartsWith($"  {verb.Name} <", StringComparison.Ordinal)) is { } listed
            ? listed.Arguments.Where(IsOptional).Aggregate(line, Mark)
            : line;
    }

    private static bool IsOptional(Argument argument) => argument.Arity.MinimumNumberOfValues == 0;

    private static string Mark(string line, Argument argument) =>
        line.Replace($"<{argument.Name}>", $"[{argument.Name}]", StringComparison.Ordinal);
}
