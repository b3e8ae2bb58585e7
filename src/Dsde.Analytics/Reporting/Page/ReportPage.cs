using static Dsde.Analytics.Reporting.Page.HtmlWriter;

namespace Dsde.Analytics.Reporting.Page;

/// <summary>A report as one HTML file that needs nothing else.</summary>
internal sealed class ReportPage
{
    private readonly ReportData _data;
    private readonly ReportCharts _charts;
    private readonly HtmlWriter _html = new();

    private ReportPage(ReportData data) => (_data, _charts) = (data, new ReportCharts(data));

    /// <summary>Writes it.</summary>
    public static string Write(ReportData data)
    {
        ArgumentNullException.ThrowIfNull(data);
        return new ReportPage(data).Write();
    }

    private string Write()
    {
        _html.Raw(
            $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>DSDE report: {Escape(_data.Subject)}</title>
            <link rel="icon" href="data:,">
            <style>{PageStyle.Css}</style>
            </head>
            <body>
            <main>
            <h1>Speculative decoding report</h1>
            <p class="subject">{Escape(_data.Subject)} · made {Time(_data.CreatedAt)}</p>
            """
        );
        WriteHeadline();
        if (_data.Total is not null)
        {
            WriteGroups();
            WriteLengths();
            WriteSignals();
            WriteTrial();
            WriteGuard();
            WriteTime();
            _html.Heading("Slowest outputs");
            OutputSection.WriteList(_html, _data.Slowest);
            _html.Heading("Outputs with the lowest acceptance");
            OutputSection.WriteList(_html, _data.LeastAccepted);
        }

        foreach (var page in _data.Pages)
        {
            OutputSection.Write(_html, page);
        }

        _html.Raw("</main>\n</body>\n</html>");
        return _html.ToString();
    }

    private void WriteHeadline()
    {
        var jobs = _data.Jobs.Values.Sum();
        _html.Raw("<div class=\"tiles\">");
        var states = _data.Jobs.OrderBy(state => state.Key, StringComparer.Ordinal).Select(state => $"{Number(state.Value)} {state.Key}");
        _html.Tile("jobs", Number(jobs), string.Join(", ", states));
        if (_data.Total is { } total)
        {
            _html.Tile("tokens generated", Number(total.CompletionTokens), $"for {Number(total.PromptTokens)} tokens of prompts");
            _html.Tile("tokens per second of the machine", Number(total.TokensPerMachineSecond), $"{Number(total.MachineSeconds)} s busy");
            var forced = total.Forced > 0 ? $"; {Number(total.Forced)} tokens besides were forced by formats" : "";
            _html.Tile(
                "acceptance",
                Percent(total.AcceptanceRate),
                $"{Number(total.Accepted)} of {Number(total.Proposed)} proposals{forced}"
            );
            _html.Tile("block efficiency", Number(total.BlockEfficiency), "tokens per target pass");
            _html.Tile(
                "from sending to the end",
                $"{Number(total.MedianSeconds)} s",
                $"median; 95 of 100 within {Number(total.P95Seconds)} s"
            );
        }

        _html.Raw("</div>");
        if (_data.Failures.Count > 0)
        {
            _html.Table(
                ["failed jobs", "number"],
                _data.Failures.OrderByDescending(failure => failure.Value).Select(failure => (string[])[failure.Key, Number(failure.Value)])
            );
        }

        if (jobs == 0)
        {
            _html.Note(
                "No job is like that. Give another time, batch, model, policy or workload, or see whether it is the right database."
            );
        }
        else if (_data.Total is null)
        {
            _html.Note("No job has completed with telemetry, so that there is nothing to say of speculation.");
        }
        else if (_data.OutputsRead < _data.Outputs)
        {
            _html.Note(
                $"Figures are of a sample of {Number(_data.OutputsRead)} of {Number(_data.Outputs)} outputs, drawn by the jobs' ids; "
                    + "numbers of jobs are of all."
            );
        }
    }

    private void WriteGroups()
    {
        _html.Heading(
            "Like with like",
            "By workload, policy, model and temperature. Acceptance is accepted / proposed tokens; block efficiency is tokens per target "
                + "pass of an output, its prompt's left out."
        );
        _html.Table(
            [
                "workload",
                "policy",
                "model",
                "temperature",
                "outputs",
                "tokens",
                "acceptance",
                "block efficiency",
                "length",
                "KLD, nats",
                "tokens/s of the machine",
                "median, s",
                "p95, s",
            ],
            _data.Groups.Select(group =>
                (string[])
                    [
                        group.Workload ?? None,
                        group.Policy ?? None,
                        group.TargetModel ?? None,
                        Number(group.Temperature),
                        Number(group.Outputs),
                        Number(group.CompletionTokens),
                        Percent(group.AcceptanceRate),
                        Number(group.BlockEfficiency),
                        Number(group.MeanLength),
                        Number(group.MeanKld),
                        Number(group.TokensPerMachineSecond),
                        Number(group.MedianSeconds),
                        Number(group.P95Seconds),
                    ]
            )
        );
        _html.Figures(_charts.Acceptance());
    }

    private void WriteLengths()
    {
        if (_data.Lengths.Count == 0)
        {
            _html.Note("No series of iterations are stored (telemetry level summary): lengths and signals are not known.");
            return;
        }

        _html.Heading(
            "Speculation lengths",
            $"Of the iterations of {Number(_data.SeriesRead)} outputs. The cap is the batch's, against stragglers; lines end where fewer "
                + "than a tenth of the outputs got."
        );
        _html.Figures(_charts.Lengths(), _charts.Course());
    }

    private void WriteSignals()
    {
        if (_data.Curves.Count == 0)
        {
            return;
        }

        _html.Heading(
            "Signals and acceptance",
            "KLD is the divergence of target and draft over the whole vocabulary at temperature 1; WVIR, the ratio of its short- and "
                + "long-term variance, is what DSDE sets lengths by."
        );
        _html.Figures([_charts.Kld(), _charts.Wvir(), .. _data.Curves.Select(_charts.Curve), _charts.Calibration()]);
        _html.Heading(
            "Correlation with the accepted share of the same iteration",
            "With 95 % intervals, for which whole outputs were drawn anew: iterations of one output resemble each other.",
            level: 3
        );
        _html.Table(
            ["temperature", "signal", "iterations", "Pearson", "95 %", "Spearman (ranks)", "95 %"],
            _data.Correlations.Select(one =>
                (string[])
                    [
                        Number(one.Temperature),
                        one.Signal,
                        Number(one.Iterations),
                        Signed(one.Pearson),
                        Range(one.PearsonInterval),
                        Signed(one.Spearman),
                        Range(one.SpearmanInterval),
                    ]
            )
        );
    }

    private void WriteTrial()
    {
        if (_data.Signals is not { } signals)
        {
            return;
        }

        _html.Heading(
            "Signals on trial",
            "How well what is known before a step foretells the step, best first. The rank correlation is with its accepted share; AUC is "
                + "the chance that a wholly accepted step has the greater signal (0.5 says nothing); the gain is the part of the log-loss "
                + "of the bare rate that a fit on the signal takes away. Intervals of 95 %, outputs drawn anew."
        );
        if (signals.Count == 0)
        {
            _html.Note("There are too few steps with proposals.");
            return;
        }

        _html.Table(
            ["workload", "temperature", "signal", "steps", "rank correlation", "95 %", "AUC", "95 %", "log-loss gain", "95 %"],
            signals.Select(one =>
                (string[])
                    [
                        one.Workload ?? "all",
                        one.Temperature is { } temperature ? Number(temperature) : "all",
                        one.Signal,
                        Number(one.Steps),
                        Signed(one.Spearman),
                        Range(one.SpearmanInterval),
                        Number(one.Auc),
                        Range(one.AucInterval),
                        Signed(one.LogLossGain),
                        Range(one.LogLossGainInterval),
                    ]
            )
        );
    }

    private void WriteGuard()
    {
        if (_data.Guard.Count == 0)
        {
            return;
        }

        _html.Heading(
            "The cost guard",
            "What was decisive for the lengths of guarded policies: what the policy wished, what paid by the measured costs (guard), the "
                + "guard's measuring of the opposite (holdout), or a draft that had to catch up first."
        );
        var all = _data.Guard.Sum(decision => decision.Iterations);
        _html.Table(
            ["decided by", "iterations", "share", "mean wish, tokens", "mean allowed, tokens"],
            _data.Guard.Select(decision =>
                (string[])
                    [
                        decision.DecidedBy,
                        Number(decision.Iterations),
                        Percent((double)decision.Iterations / all),
                        Number(decision.MeanWish),
                        Number(decision.MeanAllowed),
                    ]
            )
        );
    }

    private void WriteTime()
    {
        _html.Heading(
            "Time",
            "Passes are the whole batch's, which an output waits for. The means of the parts add up to that of the whole."
        );
        _html.Figures(_charts.Latency(), _charts.Throughput());
        _html.Table(
            ["part", "mean, ms", "median, ms", "p90, ms", "p99, ms"],
            _data.Latency.Select(part =>
                (string[])[part.Name, Number(part.MeanMs), Number(part.P50Ms), Number(part.P90Ms), Number(part.P99Ms)]
            )
        );
    }
}
