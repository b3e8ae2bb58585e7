using System.CommandLine;

namespace Dsde.Worker.Cli.Clients;

/// <summary>How a client verb waits for database and broker, from connecting to the end: up to a limit, and saying so.</summary>
/// <param name="limit">How long one absence may take.</param>
/// <param name="time">The clock.</param>
/// <param name="error">Where it says so.</param>
internal sealed class Patience(TimeSpan limit, TimeProvider time, TextWriter error)
{
    private const int DefaultSeconds = 300;

    /// <summary>Of verbs that fail at once.</summary>
    public static Patience None => new(TimeSpan.Zero, TimeProvider.System, TextWriter.Null);

    /// <summary>With the database.</summary>
    public LimitedPatience Database { get; } = new("the database", limit, time, error);

    /// <summary>With RabbitMQ.</summary>
    public LimitedPatience Broker { get; } = new("RabbitMQ", limit, time, error);

    /// <summary>Whether one of them has been away for longer than the limit.</summary>
    public bool IsOver => Database.IsOver || Broker.IsOver;

    /// <summary>A sentence about its end; empty if it isn't over.</summary>
    public string DescribeEnd() =>
        IsOver ? $" It has been away for longer than --patience allows ({LimitedPatience.Describe(limit)})." : "";

    /// <summary>The option that sets the limit, in seconds.</summary>
    public static Option<int> CreateOption()
    {
        var option = new Option<int>("--patience")
        {
            Description =
                $"How long to wait for a database or a broker that is away, in seconds (default {DefaultSeconds}); 0 to fail at once.",
            HelpName = "SECONDS",
            DefaultValueFactory = _ => DefaultSeconds,
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var given }] && int.TryParse(given, out var number) && number < 0)
            {
                result.AddError($"--patience is {number}; give 0 or more seconds.");
            }
        });
        return option;
    }
}
