using System.CommandLine;
using Dsde.Pipeline;

namespace Dsde.Worker.Cli.Clients;

/// <summary>
/// A verb that asks database and broker: it waits for them as long as <c>--patience</c> allows, and whatever ends it before its time, it
/// says how to go on.
/// </summary>
internal abstract class ClientCommand : DsdeCommand
{
    private readonly Option<int> _patience = Patience.CreateOption();

    /// <inheritdoc cref="DsdeCommand(string, string, string[])"/>
    protected ClientCommand(string name, string description, params string[] examples)
        : base(name, description, examples) => SetAction(RunAsync);

    /// <summary>Adds the verb's own symbols, and the option of the limit after them.</summary>
    protected void AddAll(params IEnumerable<Symbol> symbols)
    {
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument)
            {
                Add(argument);
            }
            else
            {
                Add((Option)symbol);
            }
        }

        Add(_patience);
    }

    /// <summary>Does what the verb is for.</summary>
    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    protected abstract Task<int> RunAsync(ClientRun run, CancellationToken cancellationToken);

    private async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var limit = TimeSpan.FromSeconds(arguments.GetValue(_patience));
        var run = new ClientRun(arguments, new Patience(limit, TimeProvider.System, arguments.InvocationConfiguration.Error));
        try
        {
            return await RunAsync(run, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await run.Error.WriteLineAsync($"dsde: interrupted. {run.WayOn}");
            throw;
        }
        catch (Exception exception) when ((run.HasBegun || run.Patience.IsOver) && ExpectedFailures.Describe(exception) is { } message)
        {
            throw new ExpectedFailureException($"{message}{run.Patience.DescribeEnd()} {run.WayOn}", exception);
        }
        catch (Exception) when (run.HasBegun)
        {
            await run.Error.WriteLineAsync($"dsde: ended before its time. {run.WayOn}");
            throw;
        }
    }
}
