using System.Globalization;
using System.Text;
using Dsde.Engine.Benchmarking;
using Dsde.Statistics;
using Spectre.Console;

namespace Dsde.Benchmarks;

/// <summary>How close the target runs to what the machine allows, as a table: for people, and in Markdown.</summary>
internal static class RooflineTable
{
    private static readonly string[] Names =
    [
        "sequences × rows",
        "linear layers",
        "floor",
        "of the floor",
        "of one row",
        "forward pass",
        "of linear",
        "verify / decode",
        "iteration",
        "of linear",
        "reads / iteration",
    ];

    /// <summary>What was read how fast.</summary>
    public static string Describe(RooflineReport report) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"plain reads: {report.ReadBytesPerSecond / 1e9:F1} GB/s with {report.Threads} "
                + $"thread{(report.Threads == 1 ? "" : "s")}; the linear layers' {report.LinearWeightBytes / 1e6:N0} MB take "
                + $"{report.ReadMs:F2} ms to read{DescribeKernels(report)}"
        );

    /// <summary>What long contexts cost, a line each; none if they were not measured.</summary>
    public static IEnumerable<string> DescribeLongContexts(RooflineReport report)
    {
        foreach (var attention in report.Attention)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"attention alone, {attention.Case.SequenceCount} sequences at {attention.Positions:N0} positions, "
                    + $"{attention.Case.RowsPerSequence} row{(attention.Case.RowsPerSequence == 1 ? "" : "s")} each: "
                    + $"{attention.AttentionMs:F2} ms, {Ratio(attention.ReadRatios)} of reading its {attention.ByteCount / 1e6:N0} MB"
            ) + (attention.DecodeRatios.Count > 0 ? $", {Ratio(attention.DecodeRatios)} of one row each" : "");
        }

        if (report.Prefill is { } prefill)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"prompts, {prefill.SequenceCount} of {prefill.PromptLength:N0} tokens, {prefill.TokensPerPass} tokens a pass: "
                    + $"{Samples.Median(prefill.TokensPerSecond):N0} tokens/s, at best {prefill.TokensPerSecond.Max():N0}, "
                    + $"{Ratio(prefill.LinearRatios)} of the time of their linear layers"
            );
        }
    }

    /// <summary>A median, and where it lies with 95 % confidence.</summary>
    private static string Ratio(IReadOnlyList<double> ratios) =>
        string.Create(CultureInfo.InvariantCulture, $"{Samples.Median(ratios):F2} x")
        + (
            Bootstrap.OfMedian(ratios) is { } interval
                ? string.Create(CultureInfo.InvariantCulture, $" ({interval.Low:F2} to {interval.High:F2})")
                : ""
        );

    private static string DescribeKernels(RooflineReport report) =>
        (report.OperationsPerSecond is { } most ? $"; the kernels do {most / 1e9:F0} GFLOP/s out of the caches" : "")
        + (report.Kernels is { } kernels ? $"; multiplied by {kernels}" : "");

    /// <summary>A row per case.</summary>
    public static Table Create(RooflineReport report)
    {
        var table = new Table().Border(TableBorder.Simple).Title("against the machine");
        foreach (var name in Names)
        {
            table.AddColumn(new TableColumn(name).RightAligned());
        }

        foreach (var measurement in report.Cases)
        {
            table.AddRow(Cells(report, measurement));
        }

        return table;
    }

    /// <summary>The same in Markdown.</summary>
    public static void AppendMarkdown(StringBuilder text, RooflineReport report)
    {
        text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"**Against the machine**: {Describe(report)}.").AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"| {string.Join(" | ", Names)} |")
            .AppendLine(CultureInfo.InvariantCulture, $"|{string.Concat(Enumerable.Repeat("---:|", Names.Length))}");
        foreach (var measurement in report.Cases)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"| {string.Join(" | ", Cells(report, measurement))} |");
        }

        text.AppendLine();
        foreach (var line in DescribeLongContexts(report))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"- {line}");
        }
    }

    /// <summary>
    /// Time of a pass with several rows per sequence over that of one with a single row each; null where that wasn't measured.
    /// </summary>
    public static double? VerifyRatio(RooflineReport report, RooflineMeasurement measurement) =>
        measurement.Case.RowsPerSequence > 1
        && report.Cases.FirstOrDefault(other => other.Case == measurement.Case with { RowsPerSequence = 1 }) is { } decoding
            ? measurement.ForwardMs / decoding.ForwardMs
            : null;

    private static string[] Cells(RooflineReport report, RooflineMeasurement measurement) =>
        [
            string.Create(CultureInfo.InvariantCulture, $"{measurement.Case.SequenceCount} × {measurement.Case.RowsPerSequence}"),
            Format(measurement.LinearMs, "0.00", " ms"),
            Format(report.FloorMs(measurement), "0.00", " ms"),
            Format(report.FloorMs(measurement) / measurement.LinearMs, "0.00"),
            Format(report.RowsRatio(measurement), "0.00", " x"),
            Format(measurement.ForwardMs, "0.00", " ms"),
            Format(measurement.ForwardRatio, "0.00", " x"),
            Format(VerifyRatio(report, measurement), "0.00", " x"),
            Format(measurement.IterationMs, "0.00", " ms"),
            Format(measurement.IterationRatio, "0.00", " x"),
            Format(report.ReadMs / measurement.IterationMs, "0.00"),
        ];

    private static string Format(double? value, string format, string unit = "") =>
        value is { } number && double.IsFinite(number) ? number.ToString(format, CultureInfo.InvariantCulture) + unit : "-";
}
