using System.CommandLine;
using System.Globalization;
using Dsde.Batches.Files;
using Dsde.Batches.Following;
using Dsde.Batches.Reporting;
using Dsde.Benchmarks;
using Dsde.Benchmarks.Pipeline;
using Dsde.Contracts;
using Dsde.Engine;
using Dsde.Pipeline;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Jobs.Run;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Worker.Cli;

/// <summary><c>dsde bench pipeline</c>: what queue, database and worker take, without an engine or beside one.</summary>
internal sealed class BenchPipelineCommand : DsdeCommand
{
    private readonly Argument<string?> _file = new("FILE")
    {
        Description =
            "Job file: measure what the pipeline costs with the real engine on these jobs. Without it: an engine that answers at once.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<int> _jobs = CreateNumber("--jobs", "Without FILE: jobs of a round (default 10000).", 10_000);
    private readonly Option<int> _capacity = CreateNumber("--capacity", "Without FILE: jobs the engine takes at once (default 128).", 128);
    private readonly Option<int> _tokens = CreateNumber("--tokens", "Without FILE: tokens of each output (default 64).", 64);
    private readonly Option<int> _rounds = CreateNumber("--rounds", "Repetitions; medians are shown (default 3).", 3);
    private readonly Option<int?> _limit = FileArguments.CreateLimit("Take the first N jobs of FILE only.");
    private readonly EngineArguments _engine = new();

    public BenchPipelineCommand()
        : base(
            "pipeline",
            "Measure jobs/s through RabbitMQ and PostgreSQL beside the floor of plain clients, or the pipeline's cost beside the "
                + "engine. The last line is JSON. "
                + "Broker and database come from the configuration: the job queue must be empty and without workers, and a "
                + "database of its own is made and dropped again.",
            "Dsde__RabbitMq__VirtualHost=bench dsde bench pipeline",
            "dsde bench pipeline --jobs 50000 --capacity 64 --rounds 5",
            "dsde bench pipeline samples/mixed.jsonl --batch-size 8 --rounds 5"
        )
    {
        Add(_file);
        foreach (var option in (Option[])[_jobs, _capacity, _tokens, _rounds, _limit])
        {
            Add(option);
        }

        _engine.AddTo(this);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var settings = new ProgramSettings();
        var bench = new PipelineBench(
            settings.RabbitMq(),
            settings.Persistence(),
            arguments.InvocationConfiguration.Error,
            TimeProvider.System
        );
        var watch = MachineLoad.TryStart(TimeProvider.System);
        var report = arguments.GetValue(_file) is { } path
            ? await MeasureEngineAsync(arguments, bench, path, settings, cancellationToken)
            : await MeasurePipelineAsync(arguments, bench, cancellationToken);
        report = report with { Load = watch?.Read() };
        var output = arguments.InvocationConfiguration.Output;
        await output.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{report.Cpu ?? "unknown CPU"}, {Quantity.Of(Environment.ProcessorCount, "core")}; "
                    + $"{Quantity.Of(report.JobCount, "job")} a round, "
                    + $"{report.Capacity} at once"
            )
        );
        report.Print(Consoles.Create(arguments.InvocationConfiguration));
        await output.WriteLineAsync(report.ToJson());
        return ExitCodes.Success;
    }

    private async Task<PipelineReport> MeasurePipelineAsync(ParseResult arguments, PipelineBench bench, CancellationToken cancellationToken)
    {
        var settings = new PipelineSettings
        {
            JobCount = arguments.GetValue(_jobs),
            Rounds = arguments.GetValue(_rounds),
            Capacity = arguments.GetValue(_capacity),
            Tokens = arguments.GetValue(_tokens),
        };
        return CreateReport(arguments, settings.JobCount, settings.Capacity) with
        {
            Rounds = await bench.MeasureAsync(settings, cancellationToken),
        };
    }

    private async Task<PipelineReport> MeasureEngineAsync(
        ParseResult arguments,
        PipelineBench bench,
        string path,
        ProgramSettings settings,
        CancellationToken cancellationToken
    )
    {
        var options = _engine.Apply(arguments, settings.Engine());
        using var file = await JobFile.OpenAsync(
            path,
            arguments.GetValue(_limit),
            new BatchDefaults { BatchId = Guid.Empty, Model = BenchQueue.Model },
            cancellationToken
        );
        await file.CountAsync(cancellationToken);
        using var loggers = LoggerFactory.Create(logging => logging.AddConsole().SetMinimumLevel(LogLevel.Warning));
        await using var engine = GenerationEngine.Load(options, TimeProvider.System, loggers);
        var (jobs, requests) = await ReadAsync(
            file,
            new JobValidator(engine, new WorkerOptions { Models = [BenchQueue.Model] }),
            cancellationToken
        );
        if (jobs.Count == 0)
        {
            throw new ExpectedFailureException($"Job file {path} has no job that can run.");
        }

        return CreateReport(arguments, jobs.Count, options.BatchSize) with
        {
            EngineRounds = await bench.MeasureAsync(
                engine,
                batchId => [.. jobs.Select(job => job with { JobId = Guid.NewGuid(), BatchId = batchId })],
                requests,
                arguments.GetValue(_rounds),
                cancellationToken
            ),
        };
    }

    /// <summary>
    /// The jobs that can run and have one output. A seed is fixed where the job's would follow from its id, which is new every time.
    /// </summary>
    private static async Task<(IReadOnlyList<SubmitGenerationJob> Jobs, IReadOnlyList<GenerationRequest> Requests)> ReadAsync(
        JobFile file,
        JobValidator validator,
        CancellationToken cancellationToken
    )
    {
        var (jobs, requests) = (new List<SubmitGenerationJob>(), new List<GenerationRequest>());
        await foreach (var line in file.ReadAsync(cancellationToken))
        {
            if (line.Job is not { } job)
            {
                continue;
            }

            job = job with { Seed = job.Seed ?? line.Number };
            try
            {
                if (validator.Validate(job) is [var only])
                {
                    requests.Add(only);
                    jobs.Add(job);
                }
            }
            catch (JobRejectedException)
            {
                // Left out: it would not reach the engine.
            }
        }

        return (jobs, requests);
    }

    private static PipelineReport CreateReport(ParseResult arguments, int jobCount, int capacity) =>
        new()
        {
            Command = "dsde " + string.Join(' ', arguments.Tokens.Select(token => token.Value)),
            Cpu = MachineLoad.ReadCpuName(),
            JobCount = jobCount,
            Capacity = capacity,
        };

    /// <summary>An option that takes a number above 0.</summary>
    internal static Option<int> CreateNumber(string name, string description, int value)
    {
        var option = new Option<int>(name)
        {
            Description = description,
            HelpName = "N",
            DefaultValueFactory = _ => value,
        };
        option.Validators.Add(result =>
        {
            if (
                result.Tokens is [{ Value: var given }]
                && int.TryParse(given, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                && number is < 1 or > 10_000_000
            )
            {
                result.AddError($"{name} is {given}; give 1 to 10000000.");
            }
        });
        return option;
    }
}
