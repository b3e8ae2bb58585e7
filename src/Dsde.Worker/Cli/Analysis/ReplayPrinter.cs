using System.Globalization;
using Dsde.Analytics.Replaying;
using Dsde.Batches.Reporting;
using Spectre.Console;

namespace Dsde.Worker.Cli.Analysis;

/// <summary>A replay for people.</summary>
internal static class ReplayPrinter
{
    private const int MostNamed = 5;

    public static void Print(ReplayReport report, IAnsiConsole console, TextWriter output)
    {
        output.WriteLine(
            report.RanPolicy is null
                ? $"{Quantity.Of(report.Outputs, "imported request")}"
                : $"{Quantity.Of(report.Outputs, "output")}, which ran under {report.RanPolicy}"
        );
        foreach (var costs in report.Costs)
        {
            output.WriteLine($"times: {costs}");
        }

        foreach (var left in report.LeftOut)
        {
            output.WriteLine($"left out: {left}");
        }

        console.Write(CreateTable(report));
        foreach (var result in report.Results)
        {
            Describe(result, report.Outputs, output);
        }
    }

    private static Table CreateTable(ReplayReport report)
    {
        var table = new Table().Border(TableBorder.Simple);
        table.AddColumn("policy");
        string[] numbers =
        [
            "tokens/s",
            "by run",
            "iterations",
            "proposed",
            "accepted",
            "acceptance",
            "mean length",
            "block efficiency",
            "exact",
        ];
        foreach (var name in numbers)
        {
            table.AddColumn(new TableColumn(name).RightAligned().NoWrap());
        }

        if (report.Ran is { } ran)
        {
            table.AddRow([$"{Markup.Escape(report.RanPolicy ?? "")} (run)", .. Cells(ran, ran), "measured"]);
        }

        foreach (var result in report.Results)
        {
            var exact = result.Policy == "oracle" ? "bound" : $"{result.ExactOutputs}/{report.Outputs}";
            table.AddRow([Markup.Escape(result.Policy), .. Cells(result.Counts, report.Ran), exact]);
        }

        return table;
    }

    private static string[] Cells(ReplayCounts counts, ReplayCounts? ran) =>
        [
            Format(counts.TokensPerSecond, "N0"),
            Format(counts.TokensPerSecond / ran?.TokensPerSecond, "0.00", " x"),
            Format(counts.Iterations, "N0"),
            Format(counts.Proposed, "N0"),
            Format(counts.Accepted, "N0"),
            Format(100 * counts.AcceptanceRate, "0.0", " %"),
            Format(counts.MeanLength, "0.00"),
            Format(counts.BlockEfficiency, "0.00"),
        ];

    private static void Describe(ReplayResult result, int outputs, TextWriter output)
    {
        if (result.ExactOutputs == outputs || result.Policy == "oracle")
        {
            return;
        }

        output.WriteLine($"{result.Policy} is not exact throughout: {string.Join("; ", result.Reservations)}");
        if (result.UnknownPositions.Count > 0)
        {
            var named = result.UnknownPositions.Take(MostNamed).Select(one => $"{one.Output} at token {one.Position}");
            var more = result.UnknownPositions.Count > MostNamed ? ", …" : "";
            output.WriteLine($"  {Quantity.Of(result.UnknownPositions.Count, "unknown position")}: {string.Join(", ", named)}{more}");
        }

        if (result.UnknownSignals > 0)
        {
            output.WriteLine($"  {Quantity.Of(result.UnknownSignals, "measurement")} taken to be the mean of the output's others");
        }
    }

    private static string Format(double? value, string format, string unit = "") =>
        value is { } number && double.IsFinite(number) ? number.ToString(format, CultureInfo.InvariantCulture) + unit : "-";
}
