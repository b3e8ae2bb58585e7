using System.Globalization;
using ScottPlot;

namespace Dsde.Benchmarks;

/// <summary>Tokens/s of every policy, batch size by batch size, as a drawing (SVG).</summary>
internal static class BenchChart
{
    private const int Height = 360; // pixels
    private const int Margin = 220;
    private const int LeastWidth = 640;
    private const int BarWidth = 26;
    private const float LabelSize = 12;

    /// <summary>
    /// Draws the rows that have most jobs of each batch size and temperature: all workloads together, where there are several.
    /// </summary>
    /// <param name="rows">At least one.</param>
    /// <param name="subject">Machine and models, for the title.</param>
    public static string Draw(IReadOnlyList<BenchRow> rows, string subject)
    {
        var groups = rows.GroupBy(row => (row.BatchSize, row.Temperature))
            .Select(group => (group.Key, Rows: group.GroupBy(row => row.Workload).MaxBy(workload => workload.First().JobCount)!.ToList()))
            .ToList();
        var policies = groups.SelectMany(group => group.Rows.Select(row => row.Policy)).Distinct().ToList();
        using var plot = new Plot();
        var palette = new ScottPlot.Palettes.Category20();
        for (var i = 0; i < policies.Count; i++)
        {
            var bars = groups
                .Index()
                .SelectMany(group =>
                    group
                        .Item.Rows.Where(row => row.Policy == policies[i])
                        .Select(row => new Bar
                        {
                            Position = Place(group.Index, i),
                            Value = row.TokensPerSecond,
                            FillColor = palette.GetColor(i),
                            LineWidth = 0,
                        })
                )
                .ToList();
            plot.Add.Bars(bars).LegendText = policies[i];
        }

        var middle = (policies.Count - 1) / 2.0;
        plot.Axes.Bottom.SetTicks(
            [.. groups.Select((_, index) => Place(index, middle))],
            [.. groups.Select(group => Describe(group.Key, group.Rows[0].Workload))]
        );
        plot.Axes.Bottom.MajorTickStyle.Length = 0;
        plot.Axes.Left.Label.Text = "tokens/s";
        plot.Axes.Left.TickLabelStyle.FontSize = LabelSize;
        plot.Axes.Bottom.TickLabelStyle.FontSize = LabelSize;
        plot.Axes.Margins(bottom: 0, top: 0.05);
        plot.Grid.XAxisStyle.IsVisible = false;
        plot.Title(subject, LabelSize);
        plot.ShowLegend(Edge.Right);
        plot.Font.Set(Fonts.Sans);
        return plot.GetSvgXml(Math.Max(LeastWidth, Margin + (BarWidth * groups.Count * (policies.Count + 1))), Height);

        double Place(int group, double policy) => (group * (policies.Count + 1)) + policy;
    }

    private static string Describe((int BatchSize, double? Temperature) key, string workload) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"batch {key.BatchSize}{(key.Temperature is { } temperature ? $", temperature {temperature}" : "")}\n{workload}"
        );
}
