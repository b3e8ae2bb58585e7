using System.CommandLine;
using System.Globalization;
using Dsde.Batches.Files;
using Dsde.Batches.Following;
using Dsde.Benchmarks;
using Dsde.Engine;
using Dsde.Engine.Benchmarking;
using Dsde.Pipeline;
using Dsde.Pipeline.Telemetry;
using Dsde.Speculation;

namespace Dsde.Worker.Cli;

/// <summary><c>dsde bench FILE</c>: every policy side by side on this machine.</summary>
internal sealed class BenchCommand : DsdeCommand
{
    private const double MostRoundSeconds = 3600;
    private static readonly IReadOnlyList<int> StandardBatchSizes = [1, 8, 32];

    private readonly Argument<string> _file = FileArguments.CreateFile(
        "Job file: JSON lines in the OpenAI batch format. The label 'workload' of the jobs' metadata groups them."
    );
    private readonly Option<IReadOnlyList<string>?> _policies = ListOption.Create<string>(
        "--policies",
        $"Policies to compare (default {string.Join(",", BenchSettings.StandardPolicies)}).",
        "LIST",
        (string text, out string value) => (value = text).Length > 0,
        "give names of policies with commas between them."
    );
    private readonly Option<IReadOnlyList<int>?> _batchSizes = ListOption.Create<int>(
        "--batch-size",
        "Most sequences at once, each size measured by itself (default 1,8,32).",
        "LIST",
        (string text, out int value) =>
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value is >= 1 and <= 1024,
        "give whole numbers from 1 to 1024."
    );
    private readonly Option<IReadOnlyList<double?>?> _temperatures = ListOption.Create<double?>(
        "--temperature",
        "Temperatures of all jobs, each measured by itself (default: what the jobs say).",
        "LIST",
        TryParseTemperature,
        "give numbers from 0 to 2."
    );
    private readonly Option<IReadOnlyList<string>?> _workloads = ListOption.Create<string>(
        "--workloads",
        $"Workloads to measure (default: each by itself, then all together, which is called {BenchWorkload.Mixed}).",
        "LIST",
        (string text, out string value) => (value = text).Length > 0,
        "give names of workloads with commas between them."
    );
    private readonly Option<int> _rounds = new("--rounds")
    {
        Description = "Repetitions of every measurement; medians and 95 % intervals are shown (default 5).",
        HelpName = "N",
        DefaultValueFactory = _ => 5,
    };
    private readonly Option<double> _roundSeconds = new("--round-seconds")
    {
        Description = "Repeat a workload until a policy has worked so many seconds in a round (default 3; 0 for once).",
        HelpName = "S",
        DefaultValueFactory = _ => 3,
    };
    private readonly Option<int?> _limit = FileArguments.CreateLimit("Take the first N jobs only.");
    private readonly Option<int?> _maxTokens = new("--max-tokens") { Description = "At most N tokens per job.", HelpName = "N" };
    private readonly Option<bool> _ignoreEos = new("--ignore-eos") { Description = "Let every output run to its token limit." };
    private readonly Option<bool> _roofline = new("--roofline")
    {
        Description =
            "Measure the target against the machine as well: reads of memory, linear layers alone, passes, iterations, attention "
            + "over long contexts, long prompts; without FILE that only.",
    };
    private readonly Option<string> _out = FileArguments.CreateOut("Folder for bench.txt and bench.json (default: the current one).");
    private readonly Option<string?> _markdown = new("--markdown")
    {
        Description = "Write the tables in Markdown as well.",
        HelpName = "FILE",
    };
    private readonly Option<string?> _chart = new("--chart")
    {
        Description = "Draw tokens/s by policy and batch size as well (SVG).",
        HelpName = "FILE",
    };
    private readonly EngineArguments _engine = new();

    public BenchCommand()
        : base(
            "bench",
            "Measure every policy side by side on this machine: tokens/s, latency, acceptance and where the time goes. The last "
                + "line is JSON.",
            "dsde bench samples/mixed.jsonl",
            "dsde bench jobs.jsonl --batch-size 8 --temperature 0,1 --policies autoregressive,static:4,dsde --rounds 5",
            "dsde bench --roofline --target models/big --dtype bf16 --threads 2",
            "dsde bench jobs.jsonl --target models/big --draft models/small --dtype bf16 --threads 2 --limit 30 --markdown bench.md"
        )
    {
        _file.Arity = ArgumentArity.ZeroOrOne;
        Add(_file);
        foreach (
            var option in (Option[])
                [_policies, _batchSizes, _temperatures, _workloads, _rounds, _roundSeconds, _limit, _maxTokens, _ignoreEos, _roofline]
        )
        {
            Add(option);
        }

        _engine.AddFixedTo(this);
        Add(_out);
        Add(_markdown);
        Add(_chart);
        Validators.Add(result =>
        {
            if (result.GetValue(_chart) is not null && result.GetResult(_file) is not { Tokens.Count: > 0 })
            {
                result.AddError("--chart draws what policies do with jobs; give a job file.");
            }
        });
        foreach (var positive in (Option[])[_rounds, _maxTokens])
        {
            positive.Validators.Add(result =>
            {
                if (
                    result.Tokens is [{ Value: var given }]
                    && int.TryParse(given, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                    && number < 1
                )
                {
                    result.AddError($"{positive.Name} is {number}; give at least 1.");
                }
            });
        }

        _roundSeconds.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var given }] && (!TryParseNumber(given, out var seconds) || seconds > MostRoundSeconds))
            {
                result.AddError($"{_roundSeconds.Name} is {given}; give a number from 0 to {MostRoundSeconds}.");
            }
        });
        Add(new BenchPipelineCommand());
        Add(new BenchWorkerCommand());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var options = _engine.Apply(arguments, new ProgramSettings().Engine());
        var settings = ReadSettings(arguments, options);
        var file = await OpenAsync(arguments, options, cancellationToken);
        var error = arguments.InvocationConfiguration.Error;
        var watch = MachineLoad.TryStart(TimeProvider.System);
        var report = new BenchReport
        {
            Command =
                "dsde "
                + string.Join(
                    ' ',
                    arguments.Tokens.Select(token => token.Value.Contains(' ', StringComparison.Ordinal) ? $"'{token.Value}'" : token.Value)
                ),
            Cpu = MachineLoad.ReadCpuName(),
            Rows = [],
        };
        if (arguments.GetValue(_roofline))
        {
            await error.WriteLineAsync("measuring the target against the machine");
            report = report with
            {
                Roofline = await Task.Run(() => Roofline.Measure(options, new RooflineOptions(), cancellationToken), cancellationToken),
            };
        }

        if (file is not null)
        {
            var run = new BenchRun(options, settings, file, error, TimeProvider.System);
            try
            {
                await run.RunAsync(cancellationToken);
            }
            catch (OperationCanceledException) when (run.Rows.Count > 0)
            {
                await error.WriteLineAsync("dsde: interrupted; this is what had been measured");
                await WriteAsync(arguments, report with { Engine = run.Engine, Load = watch?.Read(), Rows = run.Rows });
                throw;
            }

            report = report with { Engine = run.Engine, Rows = run.Rows };
        }

        await WriteAsync(arguments, report with { Load = watch?.Read() });
        return ExitCodes.Success;
    }

    /// <summary>The job file; null where only the machine is to be measured.</summary>
    private async Task<JobFile?> OpenAsync(ParseResult arguments, EngineOptions options, CancellationToken cancellationToken)
    {
        if (arguments.GetValue(_file) is not { } path)
        {
            return arguments.GetValue(_roofline)
                ? null
                : throw new ExpectedFailureException(
                    "No job file is given. Give a file of JSON lines in the OpenAI batch format, for example samples/mixed.jsonl, "
                        + "or --roofline."
                );
        }

        var file = await JobFile.OpenAsync(
            path,
            arguments.GetValue(_limit),
            new BatchDefaults { BatchId = Guid.Empty, Model = new DirectoryInfo(options.Target).Name },
            cancellationToken
        );
        await file.CountAsync(cancellationToken);
        return file;
    }

    private BenchSettings ReadSettings(ParseResult arguments, EngineOptions options)
    {
        var policies =
            arguments.GetValue(_policies)
            ?? (
                options.Draft is null && options.Proposer != Proposer.Lookup.ToText()
                    ? [PolicyConfiguration.Autoregressive.ToString()]
                    : BenchSettings.StandardPolicies
            );
        return new BenchSettings
        {
            Policies = [.. policies.Distinct().Select(text => ReadPolicy(text, options))],
            BatchSizes = arguments.GetValue(_batchSizes) ?? StandardBatchSizes,
            Temperatures = arguments.GetValue(_temperatures) ?? [null],
            Workloads = arguments.GetValue(_workloads),
            Rounds = arguments.GetValue(_rounds),
            RoundSeconds = arguments.GetValue(_roundSeconds),
            MaxTokens = arguments.GetValue(_maxTokens),
            IgnoresEnds = arguments.GetValue(_ignoreEos),
        };
    }

    private static ComparedPolicy ReadPolicy(string text, EngineOptions options)
    {
        try
        {
            var compared = ComparedPolicy.Parse(text);
            var proposer = compared.Proposer ?? ProposerText.Parse(options.Proposer);
            return options.Draft is not null || proposer == Proposer.Lookup || compared.Policy.Kind == PolicyKind.Autoregressive
                ? compared
                : throw new ExpectedFailureException(
                    $"--policies has {text}, but there is no draft model. Name one with --draft, let lookup propose "
                        + $"(--proposer lookup), or "
                        + "give --policies autoregressive."
                );
        }
        catch (FormatException exception)
        {
            throw new ExpectedFailureException($"--policies: {exception.Message}", exception);
        }
    }

    private async Task WriteAsync(ParseResult arguments, BenchReport report)
    {
        var folder = arguments.GetRequiredValue(_out);
        Directory.CreateDirectory(folder);
        await using var text = new StringWriter();
        BenchPrinter.Print(text, report);
        await File.WriteAllTextAsync(Path.Combine(folder, "bench.txt"), text.ToString());
        await File.WriteAllTextAsync(Path.Combine(folder, "bench.json"), report.ToJson() + "\n");
        if (arguments.GetValue(_markdown) is { } markdown)
        {
            await File.WriteAllTextAsync(markdown, BenchTable.ToMarkdown(report));
        }

        if (arguments.GetValue(_chart) is { } chart)
        {
            await File.WriteAllTextAsync(chart, BenchChart.Draw(report.Rows, report.Subject));
        }

        var output = arguments.InvocationConfiguration.Output;
        await output.WriteAsync(text.ToString());
        await output.WriteLineAsync(report.ToJson());
    }

    private static bool TryParseTemperature(string text, out double? value)
    {
        var isNumber = TryParseNumber(text, out var number);
        value = number;
        return isNumber && number <= 2;
    }

    private static bool TryParseNumber(string text, out double value) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out value);
}
