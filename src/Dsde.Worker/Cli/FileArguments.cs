using System.CommandLine;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Worker.Cli;

/// <summary>The job file, the limit and the folder for results, as all verbs have them.</summary>
internal static class FileArguments
{
    private const int TellingPrefix = 4; // two dashes and two letters

    public static Argument<string> CreateFile(string description)
    {
        var file = new Argument<string>("FILE") { Description = description };
        file.Validators.Add(RefuseOption);
        return file;
    }

    public static Argument<string?> CreateOptionalFile(string description)
    {
        var file = new Argument<string?>("FILE") { Description = description, Arity = ArgumentArity.ZeroOrOne };
        file.Validators.Add(RefuseOption);
        return file;
    }

    public static Option<int?> CreateLimit(string description)
    {
        var limit = new Option<int?>("--limit") { Description = description, HelpName = "N" };
        limit.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var given }] && int.TryParse(given, out var number) && number < 1)
            {
                result.AddError($"--limit is {number}; give at least 1.");
            }
        });
        return limit;
    }

    public static Option<string> CreateOut(string description) =>
        new("--out")
        {
            Description = description,
            HelpName = "DIR",
            DefaultValueFactory = _ => ".",
        };

    /// <summary>A misspelt option before the file would be taken for the file.</summary>
    private static void RefuseOption(System.CommandLine.Parsing.ArgumentResult result)
    {
        var given = result.Tokens.Count > 0 ? result.Tokens[0].Value : "";
        if (given.StartsWith('-') && given.Length > 1)
        {
            var verb = (result.Parent as System.CommandLine.Parsing.CommandResult)?.Command;
            result.AddError($"There is no option {given}.{Suggest(given, verb)}");
        }
    }

    private static string Suggest(string given, Command? verb)
    {
        var nearest = verb?.Options.Select(option => option.Name).MaxBy(name => CommonPrefix(name, given));
        return nearest is not null && CommonPrefix(nearest, given) >= TellingPrefix ? $" Did you mean {nearest}?" : "";
    }

    private static int CommonPrefix(string one, string other) => one.AsSpan().CommonPrefixLength(other);
}
