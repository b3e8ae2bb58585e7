using System.CommandLine;
using Dsde.Analytics.Reporting;
using Dsde.Analytics.Reporting.Page;
using Dsde.Batches.Reporting;
using Dsde.Pipeline;

namespace Dsde.Worker.Cli.Analysis;

/// <summary><c>dsde report</c>: what the telemetry of a database says, as a page for people or as JSON for programs.</summary>
internal sealed class ReportCommand : DsdeCommand
{
    private const string Html = "html";
    private const string Json = "json";
    private const string StandardOutput = "-";

    private readonly DatabaseArguments _database = new();
    private readonly TraceArguments _traces = new();
    private readonly Option<string?> _out = new("--out")
    {
        Description = "File to write; - is standard output. Without it report.html, or standard output for json.",
        HelpName = "FILE",
    };
    private readonly Option<string> _format = new("--format")
    {
        Description = "html: one file that needs no network. json: the same numbers for programs.",
        HelpName = "NAME",
        DefaultValueFactory = _ => Html,
    };

    private readonly Option<bool> _signals = new("--signals")
    {
        Description = "Put the signals on trial: how well each foretells how much of the next step is accepted.",
    };

    public ReportCommand()
        : base(
            "report",
            "Write a report of stored telemetry: acceptance, speculation lengths, signals, times, and the outputs to look at, token by "
                + "token.",
            "dsde report --database results/dsde.db",
            "dsde report --batch 0b7f…c2 --out batch.html",
            "dsde report --from 2026-11-01 --workload code --format json"
        )
    {
        _format.AcceptOnlyFromAmong(Html, Json);
        _database.AddTo(this, withFile: true);
        _traces.AddTo(this);
        Add(_out);
        Add(_format);
        Add(_signals);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var isJson = arguments.GetValue(_format) == Json;
        var file = arguments.GetValue(_out) ?? (isJson ? StandardOutput : ReportFile.Name);
        await using var database = await AnalysisDatabase.OpenAsync(_database.Read(arguments), cancellationToken);
        var data = await Report.ReadAsync(
            database.Traces,
            _traces.Read(arguments),
            string.Join(", ", [database.Name, .. TraceArguments.Describe(_traces.Read(arguments))]),
            arguments.GetValue(_signals),
            TimeProvider.System.GetUtcNow(),
            cancellationToken
        );
        var output = arguments.InvocationConfiguration.Output;
        if (file == StandardOutput)
        {
            await output.WriteLineAsync(isJson ? AnalysisJson.Write(data) : ReportPage.Write(data));
            return ExitCodes.Success;
        }

        await ReportFile.WriteAsync(file, isJson ? AnalysisJson.Write(data) : ReportPage.Write(data), cancellationToken);
        await output.WriteLineAsync(
            $"{file}: {Quantity.Of(data.Jobs.Values.Sum(), "job")}, {Quantity.Of(data.Outputs, "output")} with telemetry."
        );
        return ExitCodes.Success;
    }
}
