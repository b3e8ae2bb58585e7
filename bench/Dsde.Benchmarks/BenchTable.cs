using System.Globalization;
using System.Text;
using Dsde.Batches.Reporting;
using Dsde.Statistics;
using Spectre.Console;

namespace Dsde.Benchmarks;

/// <summary>The comparison as tables: for people, and in Markdown.</summary>
internal static class BenchTable
{
    private const string NotMeasured = "-";

    private static readonly (string Name, Func<BenchRow, string> Cell)[] Columns =
    [
        ("tokens/s", row => Format(row.TokensPerSecond, "N0")),
        ("spread", row => Format(row.Spread * 100, "0", " %")),
        ("p50", row => Format(row.P50LatencyMs / 1000, "0.00", " s")),
        ("p95", row => Format(row.P95LatencyMs / 1000, "0.00", " s")),
        ("acceptance", row => Format(row.AcceptanceRate * 100, "0.0", " %")),
        ("block efficiency", row => Format(row.BlockEfficiency, "0.00")),
        ("draft", row => Format(row.DraftShare * 100, "0.0", " %")),
        ("verify", row => Format(row.VerifyShare * 100, "0.0", " %")),
        ("other", row => Format(row.OtherShare * 100, "0.0", " %")),
        ("vs autoregressive", row => Format(row.SpeedUp, row.SpeedUpInterval)),
        ("vs best static", row => Format(row.SpeedUpOverBestStatic, row.SpeedUpOverBestStaticInterval)),
    ];

    /// <summary>A table per batch size, temperature and workload, and what it tells for sure.</summary>
    public static IEnumerable<(Table Table, IEnumerable<string> Remarks)> CreateAll(IReadOnlyList<BenchRow> rows)
    {
        foreach (var group in rows.GroupBy(row => (row.BatchSize, row.Temperature, row.Workload)))
        {
            var table = new Table()
                .Border(TableBorder.Simple)
                .Title(
                    Markup.Escape(
                        $"{group.Key.Workload}: {Quantity.Of(group.First().JobCount, "job")}, "
                            + $"{Describe(group.Key.BatchSize, group.Key.Temperature)}"
                    )
                );
            table.AddColumn(new TableColumn("policy").NoWrap());
            foreach (var (name, _) in Columns)
            {
                table.AddColumn(new TableColumn(name).RightAligned());
            }

            foreach (var row in group)
            {
                table.AddRow([Markup.Escape(row.Policy), .. Columns.Select(column => column.Cell(row))]);
            }

            yield return (table, RealDifferences.Describe([.. group]));
        }
    }

    /// <summary>The command that repeats it, then a table per batch size and temperature.</summary>
    public static string ToMarkdown(BenchReport report)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{report.Subject}. {report.Load}").AppendLine();
        text.AppendLine("```bash").AppendLine(report.Command).AppendLine("```");
        if (report.Roofline is { } roofline)
        {
            RooflineTable.AppendMarkdown(text, roofline);
        }

        foreach (var group in report.Rows.GroupBy(row => (row.BatchSize, row.Temperature)))
        {
            text.AppendLine()
                .AppendLine(
                    CultureInfo.InvariantCulture,
                    $"**{Describe(group.Key.BatchSize, group.Key.Temperature)}**, medians of {group.First().Rounds}"
                )
                .AppendLine();
            text.AppendLine(
                CultureInfo.InvariantCulture,
                $"| workload | policy | {string.Join(" | ", Columns.Select(column => column.Name))} |"
            );
            text.AppendLine(CultureInfo.InvariantCulture, $"|---|---|{string.Concat(Enumerable.Repeat("---:|", Columns.Length))}");
            foreach (var row in group)
            {
                text.AppendLine(
                    CultureInfo.InvariantCulture,
                    $"| {row.Workload} | {row.Policy} | {string.Join(" | ", Columns.Select(column => column.Cell(row)))} |"
                );
            }

            text.AppendLine();
            foreach (var workload in group.GroupBy(row => row.Workload))
            {
                text.AppendLine(
                    CultureInfo.InvariantCulture,
                    $"- {workload.Key}: {string.Join(' ', RealDifferences.Describe([.. workload]))}"
                );
            }
        }

        return text.ToString();
    }

    private static string Format(double? ratio, Interval? interval) =>
        Format(ratio, "0.00", " x")
        + (interval is { } sure ? string.Create(CultureInfo.InvariantCulture, $" ({sure.Low:0.00} to {sure.High:0.00})") : "");

    private static string Describe(int batchSize, double? temperature) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"batch {batchSize}, {(temperature is { } given ? $"temperature {given}" : "the jobs' temperatures")}"
        );

    private static string Format(double? value, string format, string unit = "") =>
        value is { } number && double.IsFinite(number) ? number.ToString(format, CultureInfo.InvariantCulture) + unit : NotMeasured;
}
