using System.CommandLine;
using Dsde.Analytics.Exporting;
using Dsde.Batches.Reporting;
using Dsde.Persistence.Analysis;

namespace Dsde.Worker.Cli.Analysis;

/// <summary><c>dsde export</c>: what a database holds, as files for other tools.</summary>
internal sealed class ExportCommand : DsdeCommand
{
    private const string Parquet = "parquet";
    private const string Csv = "csv";

    private readonly DatabaseArguments _database = new();
    private readonly TraceArguments _traces = new();
    private readonly Option<string> _out = new("--out")
    {
        Description = "Folder for the files, one folder per table and day in it.",
        HelpName = "FOLDER",
        DefaultValueFactory = _ => "export",
    };
    private readonly Option<string> _format = new("--format")
    {
        Description = "parquet, with the meanings and units of the columns in the files' metadata, or csv.",
        HelpName = "NAME",
        DefaultValueFactory = _ => Parquet,
    };
    private readonly Option<int> _settle = new("--settle")
    {
        Description = "Leave what was stored in the last N seconds to the next export: something older may still be on its way.",
        HelpName = "N",
        DefaultValueFactory = _ => 120,
    };

    public ExportCommand()
        : base(
            "export",
            "Write jobs, outputs, iterations, proposals and tokens as Parquet or CSV. Done again with the same folder, it writes what has "
                + "come since.",
            "dsde export --database results/dsde.db --settle 0",
            "dsde export --out /data/dsde --workload code",
            "dsde export --out /data/csv --format csv --from 2026-11-01"
        )
    {
        _format.AcceptOnlyFromAmong(Parquet, Csv);
        _settle.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is var seconds and (< 0 or > 86_400))
            {
                result.AddError($"--settle is {seconds}; give 0 to 86400 seconds.");
            }
        });
        _database.AddTo(this, withFile: true);
        _traces.AddTo(this);
        Add(_out);
        Add(_format);
        Add(_settle);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var output = arguments.InvocationConfiguration.Output;
        var folder = arguments.GetRequiredValue(_out);
        var filter = _traces.Read(arguments);
        var settled = TimeProvider.System.GetUtcNow() - TimeSpan.FromSeconds(arguments.GetValue(_settle));
        await using var database = await AnalysisDatabase.OpenAsync(_database.Read(arguments), cancellationToken);
        var export = new Export(
            database.Traces,
            folder,
            arguments.GetValue(_format) == Csv ? ExportFormat.Csv : ExportFormat.Parquet,
            done => output.WriteLine($"… {Describe(done)}")
        );
        var written = await export.RunAsync(
            filter with
            {
                To = filter.To < settled ? filter.To : settled,
            },
            string.Join(", ", [database.Name, .. TraceArguments.Describe(filter with { To = null })]),
            cancellationToken
        );
        await output.WriteLineAsync($"{folder}: {Describe(written)}");
        return ExitCodes.Success;
    }

    private static string Describe(ExportProgress done) =>
        $"{Quantity.Of(done.Jobs, "job")}, {Quantity.Of(done.Outputs, "output")}, {Quantity.Of(done.Rows, "row")}";
}
