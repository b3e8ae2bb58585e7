using System.Globalization;
using Dsde.Analytics.Reporting;

namespace Dsde.Experiments;

/// <summary>Questions 4 and 6: what signals have to do with acceptance.</summary>
internal static class SignalTables
{
    /// <summary>Correlation of what is measured in an iteration with the same iteration's accepted share, as the paper takes it.</summary>
    public static MarkdownTable Correlations(IReadOnlyList<SignalStep> steps)
    {
        var table = new MarkdownTable("temperature, signal", "iterations", "Pearson", "Spearman");
        foreach (var one in SignalFigures.Correlations(steps))
        {
            table.Add(
                string.Create(CultureInfo.InvariantCulture, $"T = {one.Temperature}, {one.Signal}"),
                MarkdownTable.Number(one.Iterations, "0"),
                MarkdownTable.With(one.Pearson, one.PearsonInterval),
                MarkdownTable.With(one.Spearman, one.SpearmanInterval)
            );
        }

        return table;
    }

    /// <summary>What is known before an iteration, by how well it foretells that.</summary>
    public static MarkdownTable Foresight(IReadOnlyList<SignalStep> steps)
    {
        var table = new MarkdownTable("temperature, signal", "Spearman", "AUC of «all accepted»", "log-loss taken away");
        foreach (var group in steps.GroupBy(step => step.Temperature).OrderBy(group => group.Key))
        {
            foreach (var one in SignalTrial.Rank([.. group]).Where(one => one.Workload is null))
            {
                table.Add(
                    string.Create(CultureInfo.InvariantCulture, $"T = {group.Key}, {one.Signal}"),
                    MarkdownTable.With(one.Spearman, one.SpearmanInterval),
                    MarkdownTable.With(one.Auc, one.AucInterval),
                    MarkdownTable.Percent(one.LogLossGain)
                );
            }
        }

        return table;
    }
}
