using System.CommandLine;
using System.Globalization;
using Dsde.Analytics.Reporting;
using Dsde.Analytics.Reporting.Page;
using Dsde.Batches.Files;
using Dsde.Batches.Files.Results;
using Dsde.Batches.Following;
using Dsde.Batches.Reporting;
using Dsde.Engine;
using Dsde.Persistence.Analysis;
using Dsde.Pipeline;
using Dsde.Pipeline.Telemetry;
using Dsde.Speculation;
using Dsde.Worker.Cli.Analysis;
using Dsde.Worker.Cli.Clients;
using Dsde.Worker.Embedded;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dsde.Worker.Cli;

/// <summary><c>dsde run FILE</c>: a job file through the embedded pipeline.</summary>
internal sealed class RunCommand : DsdeCommand
{
    private const int SpeedUpRounds = 3;
    private static readonly TimeSpan SpeedUpLimit = TimeSpan.FromSeconds(15);

    private readonly Argument<string> _file = FileArguments.CreateFile("Job file: JSON lines in the OpenAI batch format.");
    private readonly Option<string> _out = FileArguments.CreateOut(
        "Folder for results.jsonl, errors.jsonl and the database dsde.db (default: the current one)."
    );
    private readonly Option<int?> _limit = FileArguments.CreateLimit("Run the first N jobs only.");
    private readonly Option<long?> _seed = new("--seed")
    {
        Description = "Jobs without a seed get this one plus their line number.",
        HelpName = "N",
    };
    private readonly Option<bool> _resume = new("--resume")
    {
        Description =
            "Go on with the run of this file that was broken off in the folder of --out: jobs that have ended keep their results. Give the "
            + "options it was started with: only lines, seed and the model's name are compared.",
    };
    private readonly Option<bool> _noSpeedUp = new("--no-speedup")
    {
        Description = "Leave out the comparison with autoregressive decoding.",
    };
    private readonly Option<bool> _report = new("--report")
    {
        Description = "Write report.html beside the results: what the telemetry of the run says (see dsde report).",
    };
    private readonly EngineArguments _engine = new();

    public RunCommand()
        : base(
            "run",
            "Run a job file in this process: no broker, no database server.",
            "dsde run samples/mixed.jsonl",
            "dsde run jobs.jsonl --policy static:4 --batch-size 16 --out results/",
            "dsde run jobs.jsonl --out results/ --resume",
            "zcat jobs.jsonl.gz | dsde run - --out results/"
        )
    {
        Add(_file);
        Add(_out);
        Add(_limit);
        Add(_seed);
        Add(_resume);
        _engine.AddTo(this);
        Add(_noSpeedUp);
        Add(_report);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var settings = new ProgramSettings();
        var options = _engine.Apply(arguments, settings.Engine());
        var target = new DirectoryInfo(options.Target).Name;
        var served = FindServed(settings, options, target);
        using var opened = await JobFile.OpenAsync(
            arguments.GetRequiredValue(_file),
            arguments.GetValue(_limit),
            new BatchDefaults
            {
                BatchId = Guid.NewGuid(),
                ModelIfSilent = target,
                Seed = arguments.GetValue(_seed),
            },
            cancellationToken
        );
        var place = arguments.GetRequiredValue(_out);
        opened.RequireNotIn(place);
        var count = await opened.CountAsync(cancellationToken);
        using var folder = RunFolder.Take(place);
        var databasePath = Path.Combine(place, "dsde.db");

        // A file of one model is meant for whatever runs it; one of several says what is meant for whom.
        var renamed = count.OnlyModel is { } model && !served.Contains(model, StringComparer.Ordinal) ? model : null;
        var file = renamed is null ? opened : opened with { Defaults = opened.Defaults with { Model = target } };
        var output = arguments.InvocationConfiguration.Output;
        if (arguments.GetValue(_resume))
        {
            // A run that ended before it had a database has done nothing yet.
            if (File.Exists(databasePath))
            {
                var unfinished = folder.FindUnfinished(Path.GetFileName(file.Path));
                file = await PastRun.FindAsync(databasePath, file, count.Jobs, unfinished, cancellationToken);
            }
            else
            {
                await output.WriteLineAsync($"there is no {databasePath}, so no run to go on with: beginning with the first job");
            }
        }

        await using var run = await StartAsync();
        var exitCode = await RunAsync(run, arguments, file, count.Jobs, folder, cancellationToken);
        if (renamed is not null)
        {
            await output.WriteLineAsync($"all lines name the model '{renamed}'; {target} ran them");
        }

        if (arguments.GetValue(_report))
        {
            await output.WriteLineAsync(await ReportAsync(databasePath, file, place, cancellationToken));
        }

        return exitCode;

        async Task<EmbeddedRun> StartAsync()
        {
            try
            {
                var engine = await Task.Run(
                        () => GenerationEngine.Load(options, TimeProvider.System, NullLoggerFactory.Instance),
                        CancellationToken.None
                    )
                    .WaitAsync(cancellationToken);
                Describe(output, engine.Description, count.Jobs);
                return await EmbeddedRun.StartAsync(
                    engine,
                    databasePath,
                    file.Defaults.BatchId,
                    served,
                    settings.Worker(),
                    settings.Configuration,
                    cancellationToken
                );
            }
            catch (OperationCanceledException)
            {
                await arguments.InvocationConfiguration.Error.WriteLineAsync(
                    "dsde: interrupted before the run began; go on with the same command"
                );
                throw;
            }
        }
    }

    private static async Task<string> ReportAsync(string database, JobFile file, string folder, CancellationToken cancellationToken)
    {
        var page = Path.Combine(folder, ReportFile.Name);
        await using var opened = await AnalysisDatabase.OpenAsync(DatabaseArguments.ReadFile(database), cancellationToken);
        var data = await Report.ReadAsync(
            opened.Traces,
            new TraceFilter { BatchId = file.Defaults.BatchId },
            $"{Path.GetFileName(file.Path)}, {database}",
            withSignals: false,
            TimeProvider.System.GetUtcNow(),
            cancellationToken
        );
        await ReportFile.WriteAsync(page, ReportPage.Write(data), cancellationToken);
        return $"report in {page}";
    }

    private async Task<int> RunAsync(
        EmbeddedRun run,
        ParseResult arguments,
        JobFile file,
        int jobCount,
        RunFolder folder,
        CancellationToken cancellationToken
    )
    {
        var configuration = arguments.InvocationConfiguration;
        var console = Consoles.Create(configuration);
        var started = TimeProvider.System.GetTimestamp();
        TimeSpan elapsed;
        WrittenResults written;
        folder.Begin(file.Defaults.BatchId, Path.GetFileName(file.Path));
        try
        {
            await using (var results = await run.GrowAsync(file, folder.Path, cancellationToken))
            {
                if (results.EndedBeforeCount > 0)
                {
                    configuration.Output.WriteLine(
                        $"{Quantity.Of(results.EndedBeforeCount, "job")} had ended before; what became of them is kept"
                    );
                }

                await new ProgressDisplay(console, configuration.Output, TimeProvider.System).ShowAsync(
                    run.RunAsync(file, jobCount, results, cancellationToken),
                    jobCount - results.EndedBeforeCount,
                    run.Tally.Sample
                );
            }

            elapsed = TimeProvider.System.GetElapsedTime(started);
            written = await run.WriteAsync(file, folder.Path, cancellationToken);
        }
        catch (Exception exception) when (exception is OperationCanceledException or ExpectedFailureException)
        {
            var partial = await run.WriteAsync(file, folder.Path, CancellationToken.None);
            await configuration.Error.WriteLineAsync(
                $"dsde: interrupted; {string.Join("; ", partial.Describe(folder.Path))}; {DescribeWayOn(arguments, file)}"
            );
            throw;
        }

        folder.Finish();
        var speedUps =
            !arguments.GetValue(_noSpeedUp) && written.ResultCount > 0
                ? await TryMeasureSpeedUpAsync(run, cancellationToken)
                : new Dictionary<string, double>();
        var (rows, overall) = run.Tally.ToRows(elapsed, speedUps);
        console.Write(RunTable.Create(rows, overall));
        if (overall.DecidedCount > 0)
        {
            configuration.Output.WriteLine($"speculation paid for {overall.PaidCount} of {Quantity.Of(overall.DecidedCount, "job")}");
        }

        foreach (var line in written.Describe(folder.Path, elapsed))
        {
            configuration.Output.WriteLine(line);
        }

        return written.ErrorCount == 0 ? ExitCodes.Success : ExitCodes.JobsFailed;
    }

    /// <summary>The same command goes on with the run; what came through a pipe has to come again.</summary>
    private string DescribeWayOn(ParseResult arguments, JobFile file) =>
        (file.IsPipe ? "give the same jobs again to: " : "go on with: ")
        + CommandText.Of(arguments)
        + (arguments.GetValue(_resume) ? "" : $" {_resume.Name}");

    /// <summary>The jobs are done by now: who interrupts the measurement wants to see the table without it.</summary>
    private static async Task<IReadOnlyDictionary<string, double>> TryMeasureSpeedUpAsync(
        EmbeddedRun run,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await run.MeasureSpeedUpAsync(SpeedUpRounds, SpeedUpLimit, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return new Dictionary<string, double>();
        }
    }

    /// <summary>The target by its folder's name, and by the aliases that are configured, or come with the demo pair.</summary>
    private static string[] FindServed(ProgramSettings settings, EngineOptions options, string target)
    {
        var hasAliases =
            settings.Configuration.GetSection("Dsde:Worker:Models").Exists()
            || PlaceOf(options.Target) == PlaceOf(EngineArguments.DemoTarget);
        return [.. hasAliases ? settings.Worker().Models : [], target];

        static string PlaceOf(string folder) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
    }

    private static void Describe(TextWriter output, EngineDescription engine, int jobCount)
    {
        output.WriteLine(
            $"{Quantity.Of(jobCount, "job")}, target {engine.Target}, draft {engine.Draft ?? "none"}, policy {engine.DefaultPolicy}"
                + $"{(engine.DefaultProposer == Proposer.Draft ? "" : $" (proposer {engine.DefaultProposer.ToText()})")}, "
                + $"{engine.DataType} on {engine.Device}, up to {engine.BatchSize} at once"
        );
        var defaults = engine.Defaults with { MaxTokens = null };
        if (defaults != GenerationDefaults.None)
        {
            output.WriteLine($"note: jobs that leave them open get the model's defaults: {defaults} (--generation-config none: without)");
        }

        if (engine.Defaults.MaxTokens is { } most)
        {
            output.WriteLine($"note: no job gets more tokens than the model's max_new_tokens, {most} (--generation-config none: without)");
        }

        foreach (var warning in engine.Warnings)
        {
            output.WriteLine($"note: {warning}");
        }
    }
}
