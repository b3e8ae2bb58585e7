using System.CommandLine;
using Dsde.Engine;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Worker.Cli;

/// <summary><c>dsde worker</c>: takes jobs from RabbitMQ until it is told to stop.</summary>
internal sealed class WorkerCommand : DsdeCommand
{
    private readonly EngineArguments _engine = new();

    public WorkerCommand()
        : base(
            "worker",
            "Take jobs from RabbitMQ, store results in PostgreSQL, publish events, until stopped; "
                + "settings come from appsettings.json and the environment.",
            "dsde worker",
            "Dsde__RabbitMq__Host=broker Dsde__Persistence__ConnectionString='Host=db;Database=dsde;Username=dsde;Password=...' "
                + "dsde worker --policy static:4"
        )
    {
        _engine.AddTo(this);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var settings = new ProgramSettings();
        var options = _engine.Apply(arguments, settings.Engine());
        using var loggers = LoggerFactory.Create(logging => logging.AddDsdeLogging(settings.Configuration));
        var process = new WorkerProcess(
            settings.Worker(),
            settings.RabbitMq(),
            settings.Persistence(),
            () => GenerationEngine.Load(options, TimeProvider.System, loggers),
            loggers
        );
        return await RunAsync(process, arguments, cancellationToken);
    }

    /// <summary>Runs a worker to its end.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(WorkerProcess process, ParseResult arguments, CancellationToken cancellationToken)
    {
        if (await process.RunAsync(cancellationToken) is { } detached)
        {
            await arguments.InvocationConfiguration.Error.WriteLineAsync($"dsde: {detached} Start the worker again.");
            return ExitCodes.Detached;
        }

        return ExitCodes.Success;
    }
}
