using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Dsde.Pipeline.Telemetry;
using Dsde.Worker.Cli.Analysis;
using Dsde.Worker.Cli.Clients;

namespace Dsde.Worker.Cli;

/// <summary>The program's command line: parses, runs one verb and makes an exit code of whatever happens.</summary>
internal static class DsdeCommandLine
{
    private static readonly TimeSpan LongestEnd = TimeSpan.FromMinutes(2);

    /// <summary>Runs the verb that <paramref name="args"/> name.</summary>
    /// <param name="args">As given to the program.</param>
    /// <param name="configuration">Where output goes; null for the process's own streams, with Ctrl-C handled.</param>
    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    public static async Task<int> RunAsync(string[] args, InvocationConfiguration? configuration = null)
    {
        var interrupted = configuration is null ? Interruption.Listen() : CancellationToken.None;
        configuration ??= new InvocationConfiguration();
        configuration.ProcessTerminationTimeout = null; // the library's own handler fails now and then if a signal comes while it ends
        configuration.EnableDefaultExceptionHandler = false;
        ParseResult? parsed = null;
        try
        {
            parsed = Create().Parse(args);
            if (parsed.Action is ParseErrorAction mistake)
            {
                mistake.ShowHelp = parsed.Tokens.Count == 0; // otherwise the message would drown in it
            }
            else if (parsed.CommandResult.Command is DsdeCommand && parsed.Action is not (null or HelpWithExamples or HelpAction))
            {
                _ = new ProgramSettings(); // a verb; what is set wrongly is said whether it would use it or not
            }

            return parsed.Action is ParseErrorAction
                ? await RefuseAsync(parsed, configuration)
                : await InvokeAsync(parsed, configuration, interrupted);
        }
        catch (OperationCanceledException)
        {
            return ExitCodes.Interrupted;
        }
        catch (Exception exception) when (ExpectedFailures.Describe(exception) is { } message)
        {
            await configuration.Error.WriteLineAsync($"dsde: {message}");
            return ExitCodes.SetupError;
        }
        catch (Exception exception)
        {
            await configuration.Error.WriteLineAsync($"dsde: {UnforeseenFailure.Describe(exception)}");
            UnforeseenFailure.Log(exception, isService: parsed?.CommandResult.Command is WorkerCommand);
            return ExitCodes.Unforeseen;
        }
    }

    /// <summary>Runs the verb. One that has not ended long after a signal is left behind; but workers have times of their own.</summary>
    private static async Task<int> InvokeAsync(ParseResult parsed, InvocationConfiguration configuration, CancellationToken interrupted)
    {
        var verb = Task.Run(() => parsed.InvokeAsync(configuration, interrupted), CancellationToken.None);
        return !interrupted.CanBeCanceled || parsed.CommandResult.Command is WorkerCommand or BenchWorkerCommand
            ? await verb
            : await await Task.WhenAny(verb, WaitOutAsync());

        async Task<int> WaitOutAsync()
        {
            await Task.Delay(Timeout.Infinite, interrupted).ContinueWith(_ => { }, TaskScheduler.Default);
            await Task.Delay(LongestEnd, CancellationToken.None);
            return ExitCodes.Interrupted;
        }
    }

    private static async Task<int> RefuseAsync(ParseResult parsed, InvocationConfiguration configuration)
    {
        var error = configuration.Error;
        using var said = new StringWriter();
        configuration.Error = said;
        try
        {
            await parsed.InvokeAsync(configuration, CancellationToken.None);
        }
        finally
        {
            configuration.Error = error;
        }

        await error.WriteAsync(ParseMistakes.Reword(said.ToString()));
        return ExitCodes.SetupError;
    }

    internal static RootCommand Create()
    {
        var root = new RootCommand("Bulk text generation with adaptive speculative decoding.");
        root.Add(new RunCommand());
        root.Add(new WorkerCommand());
        root.Add(new SubmitCommand());
        root.Add(new StatusCommand());
        root.Add(new ModelsCommand());
        root.Add(new ResultsCommand());
        root.Add(new CancelCommand());
        root.Add(new ErrorsCommand());
        root.Add(new DbCommand());
        root.Add(new ReplayCommand());
        root.Add(new CompareCommand());
        root.Add(new ReportCommand());
        root.Add(new ExportCommand());
        root.Add(new ModelCommand());
        root.Add(new SettingsCommand());
        root.Add(new HealthCommand());
        root.Add(new BenchCommand());
        foreach (var option in root.Options)
        {
            if (option is HelpOption { Action: HelpAction help })
            {
                option.Action = new HelpWithExamples(help);
            }
        }

        return root;
    }
}
