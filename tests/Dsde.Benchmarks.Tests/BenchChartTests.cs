using System.Xml.Linq;

namespace Dsde.Benchmarks.Tests;

public sealed class BenchChartTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    [Fact]
    public void Bars_are_as_high_as_the_policies_are_fast_and_only_the_largest_workload_is_drawn()
    {
        BenchRow[] rows =
        [
            Row(1, "stories", "autoregressive", 900, jobs: 3),
            Row(1, "mixed", "autoregressive", 100),
            Row(1, "mixed", "dsde", 300),
            Row(8, "mixed", "autoregressive", 400),
            Row(8, "mixed", "dsde", 800),
        ];

        var drawing = XDocument.Parse(BenchChart.Draw(rows, "a machine; a target"));

        var heights = drawing
            .Descendants(Svg + "g")
            .Where(group => !group.Elements(Svg + "text").Any()) // the legend
            .SelectMany(group => group.Elements(Svg + "rect"))
            .Where(bar => (string?)bar.Attribute("fill") is not (null or "none" or "white"))
            .Select(bar => ((string?)bar.Attribute("fill"), Height: (double)bar.Attribute("height")!))
            .ToList();
        heights.Count.ShouldBe(4);
        var unit = heights.Min(bar => bar.Height) / 100;
        heights.Select(bar => Math.Round(bar.Height / unit)).Order().ShouldBe([100, 300, 400, 800]);
        heights.GroupBy(bar => bar.Item1).Select(group => group.Count()).ShouldBe([2, 2]);
        var texts = drawing.Descendants(Svg + "text").Select(text => text.Value.Trim()).ToList();
        foreach (var label in new[] { "a machine; a target", "tokens/s", "autoregressive", "dsde", "batch 1", "batch 8" })
        {
            texts.ShouldContain(text => text.Contains(label, StringComparison.Ordinal), label);
        }
    }

    private static BenchRow Row(int batchSize, string workload, string policy, double speed, int jobs = 10) =>
        new()
        {
            BatchSize = batchSize,
            Temperature = null,
            Workload = workload,
            Policy = policy,
            JobCount = jobs,
            Rounds = 3,
            TokensPerSecond = speed,
            Spread = 0,
            P50LatencyMs = 1,
            P95LatencyMs = 2,
        };
}
