using ScottPlot;

namespace Dsde.Analytics.Reporting.Page;

/// <summary>The charts of a report; each is empty text where there is nothing to show.</summary>
internal sealed class ReportCharts(ReportData data)
{
    private const int MostBars = 12;
    private const float LineWidth = 2;
    private readonly Chart _chart = new();

    /// <summary>Accepted share by group.</summary>
    public string Acceptance()
    {
        var groups = data
            .Groups.Where(group => group.AcceptanceRate is not null)
            .OrderByDescending(group => group.Outputs)
            .Take(MostBars)
            .ToList();
        return groups.Count == 0
            ? ""
            : _chart.Draw(
                "Acceptance by workload, policy and temperature",
                "accepted / proposed, %",
                "",
                plot =>
                {
                    var bars = plot.Add.Bars(
                        groups.Select((group, i) => Bar(groups.Count - 1 - i, 100 * group.AcceptanceRate!.Value, 0)).ToArray()
                    );
                    bars.Horizontal = true;
                    plot.Axes.Left.SetTicks(
                        [.. groups.Select((_, i) => (double)(groups.Count - 1 - i))],
                        [.. groups.Select(group => $"{group.Workload ?? "–"}, {group.Policy}, T {group.Temperature:0.##}")]
                    );
                    plot.Axes.SetLimitsX(0, 100);
                    plot.Grid.YAxisStyle.IsVisible = false;
                }
            );
    }

    /// <summary>How long proposals were.</summary>
    public string Lengths() =>
        data.Lengths.Count == 0
            ? ""
            : _chart.Draw(
                "Speculation length",
                "proposed tokens of an iteration",
                "share of the iterations, %",
                plot =>
                {
                    var all = (double)data.Lengths.Sum(length => length.Iterations);
                    plot.Add.Bars(data.Lengths.Select(length => Bar(length.Length, 100 * length.Iterations / all, 0)).ToArray());
                    plot.Axes.Margins(bottom: 0);
                }
            );

    /// <summary>Length and cap along the generation.</summary>
    public string Course() =>
        data.Course.Count < 2
            ? ""
            : _chart.Draw(
                "Speculation length along the generation",
                "iteration",
                "tokens, mean over outputs",
                plot =>
                {
                    AddLine(plot, "proposed", 0, data.Course.Select(point => ((double)point.Iteration, (double?)point.Length)));
                    AddLine(plot, "cap", 1, data.Course.Select(point => ((double)point.Iteration, point.Cap)));
                    plot.ShowLegend(Alignment.UpperRight);
                }
            );

    /// <summary>KLD along the generation.</summary>
    public string Kld() => AlongGeneration("KLD along the generation", "KLD, nats, mean over outputs", point => point.Kld);

    /// <summary>WVIR along the generation.</summary>
    public string Wvir() => AlongGeneration("WVIR along the generation", "WVIR, mean over outputs", point => point.Wvir);

    /// <summary>Accepted share by a signal.</summary>
    public string Curve(SignalCurve curve) =>
        _chart.Draw(
            $"Acceptance by {curve.Signal}",
            curve.Unit.Length > 0 ? $"{curve.Signal}, {curve.Unit}" : curve.Signal,
            "accepted / proposed of an iteration, %",
            plot =>
            {
                var points = plot.Add.ScatterPoints(
                    curve.Points.Select(point => point[0]).ToArray(),
                    curve.Points.Select(point => 100 * point[1]).ToArray(),
                    Chart.Colors[7].WithAlpha(0.35)
                );
                points.LegendText = "iterations (some)";
                var means = plot.Add.Scatter(
                    curve.Bins.Select(bin => bin.Signal).ToArray(),
                    curve.Bins.Select(bin => 100 * bin.AcceptedShare).ToArray(),
                    Chart.Colors[0]
                );
                (means.LineWidth, means.MarkerSize, means.LegendText) = (LineWidth, 8, "mean of equally many");
                plot.ShowLegend(Alignment.UpperRight);
            }
        );

    /// <summary>Expected against observed acceptance.</summary>
    public string Calibration() =>
        data.Calibration.Count < 2
            ? ""
            : _chart.Draw(
                "Expected and observed acceptance of proposals",
                "expected acceptance β, %",
                "accepted, %",
                plot =>
                {
                    var ideal = plot.Add.Line(0, 0, 100, 100);
                    (ideal.LineColor, ideal.LinePattern, ideal.LegendText) = (Chart.Colors[7], LinePattern.Dashed, "as expected");
                    var observed = plot.Add.Scatter(
                        data.Calibration.Select(bin => 100 * bin.Expected).ToArray(),
                        data.Calibration.Select(bin => 100 * bin.Observed).ToArray(),
                        Chart.Colors[0]
                    );
                    (observed.LineWidth, observed.MarkerSize, observed.LegendText) = (LineWidth, 7, "observed");
                    plot.ShowLegend(Alignment.UpperLeft);
                }
            );

    /// <summary>Where the mean time of an output goes.</summary>
    public string Latency()
    {
        var parts = data.Latency.SkipLast(1).ToList();
        return parts.Count == 0
            ? ""
            : _chart.Draw(
                "Where the time of an output goes",
                "mean, ms",
                "",
                plot =>
                {
                    var bars = plot.Add.Bars(parts.Select((part, i) => Bar(parts.Count - 1 - i, part.MeanMs, 0)).ToArray());
                    bars.Horizontal = true;
                    plot.Axes.Left.SetTicks(
                        [.. parts.Select((_, i) => (double)(parts.Count - 1 - i))],
                        [.. parts.Select(part => part.Name)]
                    );
                    plot.Axes.Margins(left: 0);
                    plot.Grid.YAxisStyle.IsVisible = false;
                }
            );
    }

    /// <summary>Tokens over time.</summary>
    public string Throughput()
    {
        var workers = data.Throughput.Select(cell => cell.WorkerId).Distinct().Order(StringComparer.Ordinal).ToList();
        return data.Throughput.Select(cell => cell.From).Distinct().Count() < 2
            ? ""
            : _chart.Draw(
                "Throughput by worker",
                "end of outputs, UTC",
                "tokens/s",
                plot =>
                {
                    var tops = new Dictionary<DateTimeOffset, double>();
                    foreach (var (index, worker) in workers.Index())
                    {
                        var bars = new List<Bar>();
                        foreach (var cell in data.Throughput.Where(cell => cell.WorkerId == worker))
                        {
                            var bottom = tops.GetValueOrDefault(cell.From);
                            tops[cell.From] = bottom + (cell.Tokens / cell.Seconds);
                            var bar = Bar(
                                (cell.From + TimeSpan.FromSeconds(cell.Seconds / 2)).UtcDateTime.ToOADate(),
                                tops[cell.From],
                                index
                            );
                            (bar.ValueBase, bar.Size) = (bottom, 0.9 * cell.Seconds / TimeSpan.SecondsPerDay);
                            bars.Add(bar);
                        }

                        plot.Add.Bars(bars).LegendText = worker;
                    }

                    plot.Axes.DateTimeTicksBottom();
                    plot.Axes.Margins(bottom: 0);
                    if (workers.Count <= Chart.Colors.Count)
                    {
                        plot.ShowLegend(Alignment.UpperLeft);
                    }
                }
            );
    }

    private string AlongGeneration(string title, string unit, Func<CoursePoint, double?> value) =>
        data.Course.Count(point => value(point) is not null) < 2
            ? ""
            : _chart.Draw(
                title,
                "iteration",
                unit,
                plot => AddLine(plot, "", 0, data.Course.Select(point => ((double)point.Iteration, value(point))))
            );

    private static void AddLine(Plot plot, string name, int colour, IEnumerable<(double X, double? Y)> points)
    {
        var known = points.Where(point => point.Y is not null).ToList();
        if (known.Count == 0)
        {
            return;
        }

        var line = plot.Add.ScatterLine(
            known.Select(point => point.X).ToArray(),
            known.Select(point => point.Y!.Value).ToArray(),
            Chart.Colors[colour]
        );
        line.LineWidth = LineWidth;
        line.LegendText = name;
    }

    private static Bar Bar(double position, double value, int colour) =>
        new()
        {
            Position = position,
            Value = value,
            FillColor = Chart.Colors[colour % Chart.Colors.Count],
            LineWidth = 0,
        };
}
