using System.CommandLine;
using Dsde.Benchmarks.Pipeline;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Worker.Cli;

/// <summary><c>dsde bench worker</c>: a worker without a model, many of which show what broker and database carry.</summary>
internal sealed class BenchWorkerCommand : DsdeCommand
{
    private readonly Option<int> _capacity = BenchPipelineCommand.CreateNumber(
        "--capacity",
        "Jobs the engine takes at once (default 128).",
        128
    );

    private readonly Option<int> _tokens = BenchPipelineCommand.CreateNumber("--tokens", "Tokens of each output (default 64).", 64);

    public BenchWorkerCommand()
        : base(
            "worker",
            $"Run a worker whose engine answers at once, with a text of no meaning, until stopped: many of them show what a broker and a "
                + $"database carry. Whatever the settings say, it takes the jobs of the alias {BenchQueue.Model} only.",
            "dsde bench worker",
            "dsde bench worker --capacity 32 --tokens 256"
        )
    {
        Add(_capacity);
        Add(_tokens);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var settings = new ProgramSettings();
        var options = settings.Worker();
        options.Models = [BenchQueue.Model];
        var (capacity, tokens) = (arguments.GetValue(_capacity), arguments.GetValue(_tokens));
        using var loggers = LoggerFactory.Create(logging => logging.AddDsdeLogging(settings.Configuration));
        var process = new WorkerProcess(
            options,
            settings.RabbitMq(),
            settings.Persistence(),
            () => new InstantEngine(capacity, tokens),
            loggers
        );
        return await WorkerCommand.RunAsync(process, arguments, cancellationToken);
    }
}
