using System.Globalization;
using Spectre.Console;

namespace Dsde.Batches.Reporting;

/// <summary>The table that ends a run: a row per workload and one for all.</summary>
internal static class RunTable
{
    private const string NotMeasured = "-";

    public static Table Create(IReadOnlyList<WorkloadRow> rows, WorkloadRow overall)
    {
        var table = new Table().Border(TableBorder.Simple);
        table.AddColumn("workload");
        string[] numbers = ["jobs", "failed", "tokens", "acceptance", "block efficiency", "mean KLD", "p50", "p95", "tokens/s", "speed-up"];
        foreach (var name in numbers)
        {
            table.AddColumn(new TableColumn(name).RightAligned().NoWrap());
        }

        foreach (var row in rows)
        {
            table.AddRow(Cells(row));
        }

        table.AddEmptyRow();
        table.AddRow(Cells(overall));
        return table;
    }

    private static string[] Cells(WorkloadRow row) =>
        [
            Markup.Escape(row.Workload),
            Format(row.JobCount, "N0"),
            Format(row.FailedCount, "N0"),
            Format(row.CompletionTokens, "N0"),
            Format(row.AcceptanceRate * 100, "0.0", " %"),
            Format(row.BlockEfficiency, "0.00"),
            Format(row.MeanKld, "0.000;-0.000;0.000"),
            Format(row.P50LatencyMs / 1000, "0.00", " s"),
            Format(row.P95LatencyMs / 1000, "0.00", " s"),
            Format(row.TokensPerSecond, "N0"),
            Format(row.SpeedUp, "0.00", " x"),
        ];

    private static string Format(double? value, string format, string unit = "") =>
        value is { } number && double.IsFinite(number) ? number.ToString(format, CultureInfo.InvariantCulture) + unit : NotMeasured;
}
