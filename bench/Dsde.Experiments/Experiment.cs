using Dsde.Analytics.Replaying;
using Dsde.Analytics.Reporting;
using Dsde.Persistence.Analysis;
using Microsoft.Extensions.DependencyInjection;

namespace Dsde.Experiments;

/// <summary>Makes the tables of docs/experiments.md from what was stored.</summary>
internal sealed class Experiment(ExperimentSettings settings)
{
    /// <summary>The tables by their names.</summary>
    /// <exception cref="InvalidOperationException">A cell has not been run.</exception>
    public async Task<IReadOnlyDictionary<string, string>> TabulateAsync(CancellationToken cancellationToken)
    {
        var parts = new Dictionary<string, string>();
        if (settings.Rounds > 0)
        {
            await AddTimedAsync(parts, cancellationToken);
        }

        var steps = await ReadStepsAsync(cancellationToken);
        parts["correlations"] = $"{SignalTables.Correlations(steps)}";
        parts["foresight"] = $"{SignalTables.Foresight(steps)}";
        foreach (var survey in Plan.Surveys)
        {
            var together = await ReadReplayAsync(survey, Plan.BatchSize, cancellationToken);
            var alone = await ReadReplayAsync(survey, 1, cancellationToken);
            parts[FormattableString.Invariant($"sensitivity t={survey.Temperature}")] = $"{ReplayTables.Sensitivity(alone, together)}";
            parts[FormattableString.Invariant($"oracle t={survey.Temperature}")] = $"{ReplayTables.Policies(together)}";
        }

        return parts;
    }

    private async Task AddTimedAsync(Dictionary<string, string> parts, CancellationToken cancellationToken)
    {
        foreach (var temperature in Plan.Temperatures)
        {
            var cells = await ReadAsync(Plan.Latency.Where(cell => cell.Temperature.Equals(temperature)), cancellationToken);
            parts[FormattableString.Invariant($"latency t={temperature}")] = $"{LatencyTables.ByPolicy(cells)}";
            parts[FormattableString.Invariant($"workloads t={temperature}")] = $"{LatencyTables.ByWorkload(cells)}";
        }

        parts["mismatch"] = $"{LatencyTables.ByPolicy(await ReadAsync(Plan.Mismatch, cancellationToken))}";
        parts["batches"] = $"{await BatchTable.CreateAsync(cell => CellData.ReadAsync(settings, cell, cancellationToken))}";
    }

    private async Task<IReadOnlyDictionary<string, CellData>> ReadAsync(IEnumerable<Cell> cells, CancellationToken cancellationToken)
    {
        var read = new Dictionary<string, CellData>();
        foreach (var cell in cells)
        {
            read.Add(cell.Policy, await CellData.ReadAsync(settings, cell, cancellationToken));
        }

        return read;
    }

    /// <summary>The steps of the paper's rule, at both temperatures.</summary>
    private async Task<IReadOnlyList<SignalStep>> ReadStepsAsync(CancellationToken cancellationToken)
    {
        var steps = new SignalSteps();
        foreach (var survey in Plan.Surveys)
        {
            await using var services = CellData.Open(CellRunner.FolderOf(settings, survey, round: 0));
            await foreach (var trace in services.GetRequiredService<IReportReader>().ReadAsync(new TraceFilter(), cancellationToken))
            {
                steps.Add(trace);
            }
        }

        return steps.Steps;
    }

    private async Task<ReplaySet> ReadReplayAsync(Cell survey, int batchSize, CancellationToken cancellationToken)
    {
        await using var services = CellData.Open(CellRunner.FolderOf(settings, survey, round: 0));
        return await ReplaySet.ReadAsync(
            services.GetRequiredService<IReportReader>(),
            new TraceFilter(),
            new ReplaySettings { BatchSize = batchSize },
            cancellationToken
        );
    }
}
