using System.Globalization;
using Dsde.Analytics.Comparing;
using Dsde.Batches.Reporting;
using Spectre.Console;

namespace Dsde.Worker.Cli.Analysis;

/// <summary>A comparison for people.</summary>
internal static class ComparePrinter
{
    public static void Print(Comparison comparison, IAnsiConsole console, TextWriter output)
    {
        Describe("first", comparison.First, output);
        Describe("second", comparison.Second, output);
        output.WriteLine(
            comparison.Pairs > 0
                ? $"compared by {Quantity.Of(comparison.Pairs, "prompt")} that both have"
                : "they have hardly a prompt in common: all outputs of the first are compared with all of the second, "
                    + "and other prompts are part of every difference"
        );
        var table = new Table().Border(TableBorder.Simple);
        table.AddColumn("measure");
        foreach (var name in (string[])["first", "second", "effect", "95 %", "real"])
        {
            table.AddColumn(new TableColumn(name).RightAligned().NoWrap());
        }

        foreach (var difference in comparison.Differences)
        {
            table.AddRow(
                Markup.Escape(difference.Measure),
                Format(difference.First, difference.Unit),
                Format(difference.Second, difference.Unit),
                Percent(difference.EffectPercent),
                difference.EffectInterval is { } interval ? $"{Percent(interval.Low)} … {Percent(interval.High)}" : "-",
                difference.IsReal is { } isReal ? (isReal ? "yes" : "no") : "-"
            );
        }

        console.Write(table);
        foreach (var difference in comparison.Differences)
        {
            output.WriteLine(difference.Sentence);
        }
    }

    private static void Describe(string place, SideSummary side, TextWriter output) =>
        output.WriteLine(
            $"{place}: {side.Name} ({Quantity.Of(side.Outputs, "output")}, {side.Compared} compared; policy "
                + $"{string.Join(", ", side.Policies)})"
        );

    private static string Format(double? value, string unit) =>
        value is { } number ? number.ToString("N3", CultureInfo.InvariantCulture) + (unit.Length > 0 ? " " + unit : "") : "-";

    private static string Percent(double? value) =>
        value is { } number ? number.ToString("+0.0;−0.0;0.0", CultureInfo.InvariantCulture) + " %" : "-";
}
