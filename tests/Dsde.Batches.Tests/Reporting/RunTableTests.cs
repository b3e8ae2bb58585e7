using Dsde.Batches.Reporting;
using Spectre.Console;

namespace Dsde.Batches.Tests.Reporting;

public sealed class RunTableTests
{
    [Fact]
    public void What_was_not_measured_is_a_dash_and_a_rounded_nothing_has_no_sign()
    {
        var row = new WorkloadRow
        {
            Workload = "[stories]",
            JobCount = 2,
            FailedCount = 0,
            CompletionTokens = 1234,
            AcceptanceRate = 0.7123,
            MeanKld = -1e-9,
            P50LatencyMs = 1500,
        };

        var cells = Render(row)
            .Split('\n')
            .Single(line => line.Contains("[stories]", StringComparison.Ordinal))
            .Split("  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

        cells.ShouldBe(["[stories]", "2", "0", "1,234", "71.2 %", "-", "0.000", "1.50 s", "-", "-", "-"]);
    }

    private static string Render(WorkloadRow row)
    {
        using var writer = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(writer) });
        console.Profile.Width = 140;
        console.Write(RunTable.Create([row], row with { Workload = "all" }));
        return writer.ToString();
    }
}
