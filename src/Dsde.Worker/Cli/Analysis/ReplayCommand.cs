using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Dsde.Analytics.Replaying;
using Dsde.Pipeline;
using Dsde.Speculation;

namespace Dsde.Worker.Cli.Analysis;

/// <summary><c>dsde replay</c>: other policies over stored traces, without a model.</summary>
internal sealed class ReplayCommand : DsdeCommand
{
    private const string Json = "json";
    private static readonly string[] Standard =
    [
        "autoregressive",
        "static:2",
        "static:4",
        "static:6",
        "static:8",
        "adaedl",
        "dsde-paper",
        "goodput",
        "dsde",
    ];

    private readonly Option<IReadOnlyList<PolicyConfiguration>?> _policies = ListOption.Create<PolicyConfiguration>(
        "--policies",
        $"Policies to replay (default {string.Join(",", Standard)}).",
        "LIST",
        TryParse,
        "give names of policies with commas between them, such as static:4,dsde-paper,adaedl."
    );
    private readonly TraceArguments _traces = new();
    private readonly DatabaseArguments _database = new();
    private readonly Option<int?> _batchSize = Positive("--batch-size", "Most outputs at once (default: as many as there really were).");
    private readonly Option<int?> _maxLength = Positive(
        "--max-length",
        "Most tokens that any policy proposes, as the engine was set (default 10, the engine's)."
    );
    private readonly Option<string?> _costs = new("--costs")
    {
        Description =
            "What passes cost, as JSON (the column cost_profile of table workers has that form); default: the worker's stored "
            + "profile, or a fit to the traces' own times.",
        HelpName = "FILE",
    };
    private readonly Option<string?> _import = new("--import")
    {
        Description = "Replay a file of neutral traces instead of a database: JSON lines with a bit per token (docs/analytics.md).",
        HelpName = "FILE",
    };
    private readonly Option<string> _format = new("--format")
    {
        Description = "table or json.",
        HelpName = "NAME",
        DefaultValueFactory = _ => "table",
    };

    public ReplayCommand()
        : base(
            "replay",
            "Say what other policies would have made of jobs that have run, from their stored traces and without a model: iterations, "
                + "acceptance and tokens/s, and the best that any policy could do. In greedy and coupled sampling "
                + "the iterations are exact.",
            "dsde replay --database results/dsde.db",
            "dsde replay --batch 0b7f…c2 --policy static:4 --policies static:2,static:6,dsde-paper,adaedl",
            "dsde replay --import requests.jsonl --costs h100.json --batch-size 16 --format json"
        )
    {
        _format.AcceptOnlyFromAmong("table", Json);
        Add(_policies);
        _traces.AddTo(this);
        _database.AddTo(this, withFile: true);
        foreach (var option in (Option[])[_batchSize, _maxLength, _costs, _import, _format])
        {
            Add(option);
        }

        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var settings = new ReplaySettings
        {
            BatchSize = arguments.GetValue(_batchSize),
            MaxSpeculationLength = arguments.GetValue(_maxLength) ?? new ReplaySettings().MaxSpeculationLength,
            Costs = await ReadCostsAsync(arguments.GetValue(_costs), cancellationToken),
        };
        var set = await ReadAsync(arguments, settings, cancellationToken);
        var policies = arguments.GetValue(_policies);
        var canPrice = set.Sources.All(source => source.Costs?.Profile is not null);
        var report = ReplayReport.Create(
            set,
            policies ?? [.. Standard.Select(PolicyConfiguration.Parse).Where(policy => canPrice || !AsksForCosts(policy))],
            settings.MaxSpeculationLength
        );
        if (arguments.GetValue(_format) == Json)
        {
            await arguments.InvocationConfiguration.Output.WriteLineAsync(AnalysisJson.Write(report));
        }
        else
        {
            ReplayPrinter.Print(report, Consoles.Create(arguments.InvocationConfiguration), arguments.InvocationConfiguration.Output);
        }

        return ExitCodes.Success;
    }

    private async Task<ReplaySet> ReadAsync(ParseResult arguments, ReplaySettings settings, CancellationToken cancellationToken)
    {
        if (arguments.GetValue(_import) is { } file)
        {
            return await TraceImport.ReadAsync(file, settings, cancellationToken);
        }

        await using var database = await AnalysisDatabase.OpenAsync(_database.Read(arguments), cancellationToken);
        return await ReplaySet.ReadAsync(database.Traces, _traces.Read(arguments), settings, cancellationToken);
    }

    private static async Task<EngineCosts?> ReadCostsAsync(string? path, CancellationToken cancellationToken)
    {
        if (path is null)
        {
            return null;
        }

        try
        {
            var costs = EngineCostsJson.Read(await File.ReadAllTextAsync(path, cancellationToken));
            ReplaySet.Check(costs);
            return costs;
        }
        catch (Exception exception) when (exception is JsonException or FormatException)
        {
            throw new ExpectedFailureException(
                $"--costs {path}: {exception.Message} Give {{\"target\": [{{\"rows\": 1, \"ms\": 2.5}}, …], \"draft\": […], "
                    + "\"plainRest\": […], \"speculatingRest\": […]}.",
                exception
            );
        }
    }

    private static bool AsksForCosts(PolicyConfiguration policy) => policy.Kind is PolicyKind.Dsde or PolicyKind.Goodput;

    private static bool TryParse(string text, out PolicyConfiguration policy)
    {
        try
        {
            policy = PolicyConfiguration.Parse(text);
            return true;
        }
        catch (FormatException)
        {
            policy = PolicyConfiguration.Autoregressive;
            return false;
        }
    }

    private static Option<int?> Positive(string name, string description)
    {
        var option = new Option<int?>(name) { Description = description, HelpName = "N" };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var given }] && int.TryParse(given, CultureInfo.InvariantCulture, out var number) && number < 1)
            {
                result.AddError($"{name} is {number}; give at least 1.");
            }
        });
        return option;
    }
}
