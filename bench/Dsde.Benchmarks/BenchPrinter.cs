using Spectre.Console;

namespace Dsde.Benchmarks;

/// <summary>A report as plain text, in lines that fit a wide terminal.</summary>
internal static class BenchPrinter
{
    private const int Width = 200;

    public static void Print(TextWriter output, BenchReport report)
    {
        var console = AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Ansi = AnsiSupport.No,
                Interactive = InteractionSupport.No,
                Out = new AnsiConsoleOutput(output),
            }
        );
        console.Profile.Width = Width;
        output.WriteLine(report.Subject);
        if (report.Roofline is { } roofline)
        {
            output.WriteLine(RooflineTable.Describe(roofline));
            console.Write(RooflineTable.Create(roofline));
            foreach (var line in RooflineTable.DescribeLongContexts(roofline))
            {
                output.WriteLine(line);
            }
        }

        output.WriteLine();
        foreach (var (table, remarks) in BenchTable.CreateAll(report.Rows))
        {
            console.Write(table);
            foreach (var remark in remarks)
            {
                output.WriteLine(remark);
            }

            output.WriteLine();
        }

        if (report.Load is { } load)
        {
            output.WriteLine(load.ToString());
        }
    }
}
