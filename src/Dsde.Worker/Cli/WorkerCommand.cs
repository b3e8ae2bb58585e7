using System.CommandLine;
using Dsde.Engine;
using Dsde.Persistence;
using Dsde.Persistence.Migrating;
using Dsde.Pipeline;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Messaging.Attachment;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Worker.Cli;

/// <summary><c>dsde worker</c>: takes jobs from RabbitMQ until it is told to stop.</summary>
internal sealed class WorkerCommand : DsdeCommand
{
    private static readonly TimeSpan DatabasePause = TimeSpan.FromSeconds(3);

    private readonly EngineArguments _engine = new();

    public WorkerCommand()
        : base(
            "worker",
            "Take jobs from RabbitMQ, store results in PostgreSQL, publish events, until stopped; settings come from appsettings.json and the environment.",
            "dsde worker",
            "Dsde__RabbitMq__Host=broker Dsde__Persistence__ConnectionString='Host=db;Database=dsde;Username=dsde;Password=...' dsde worker --policy static:4"
        )
    {
        _engine.AddTo(this);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var settings = new ProgramSettings();
        var (worker, rabbitMq, persistence) = (settings.Worker(), settings.RabbitMq(), settings.Persistence());
        var options = _engine.Apply(arguments, settings.Engine());
        using var loggers = LoggerFactory.Create(logging => ConfigureLogging(logging, settings.Configuration));
        var engine = GenerationEngine.Load(options, TimeProvider.System, loggers);
        await using var application = WorkerApplication.Build(
            engine,
            worker,
            rabbitMq,
            persistence,
            logging => ConfigureLogging(logging, settings.Configuration)
        );
        await RequireSchemaAsync(
            application.Services.GetRequiredService<IDatabaseMigrator>(),
            arguments.InvocationConfiguration.Error,
            cancellationToken
        );
        // Without its engine a worker would only fail one job after the other: it ends, for whatever runs it to start it again.
        await using var breakdown = engine.BrokenDown.Register(application.Lifetime.StopApplication);
        var watchdog = application.Services.GetRequiredService<BusWatchdog>();
        await application.RunAsync(cancellationToken);
        if (watchdog.GaveUp is { } reason)
        {
            await arguments.InvocationConfiguration.Error.WriteLineAsync($"dsde: {reason} Start the worker again.");
            return ExitCodes.Detached;
        }

        return engine.BrokenDown.IsCancellationRequested
            ? throw new ExpectedFailureException("The engine has broken down; the log says why. Start the worker again.")
            : ExitCodes.Success;
    }

    /// <summary>A service waits for its database; a schema that is behind waits for no one.</summary>
    private static async Task RequireSchemaAsync(IDatabaseMigrator migrator, TextWriter error, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                var pending = await migrator.FindPendingAsync(cancellationToken);
                if (pending.Count > 0)
                {
                    throw new ExpectedFailureException(
                        $"The schema of {migrator.Database} is behind by {pending.Count} migrations. Run: dsde db migrate"
                    );
                }

                return;
            }
            catch (DatabaseUnavailableException exception)
            {
                await error.WriteLineAsync($"dsde: {exception.Message} Trying again every {DatabasePause.TotalSeconds} s.");
                await Task.Delay(DatabasePause, cancellationToken);
            }
        }
    }

    private static void ConfigureLogging(ILoggingBuilder logging, IConfiguration configuration)
    {
        logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            console.UseUtcTimestamp = true;
        });
        // What goes wrong on the database is thrown, and logged once by whoever knows what it means.
        logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("Microsoft.EntityFrameworkCore", LogLevel.Critical);
        logging.AddConfiguration(configuration.GetSection("Logging"));
    }
}
