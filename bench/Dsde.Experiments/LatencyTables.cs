namespace Dsde.Experiments;

/// <summary>Questions 1 and 2: latency by policy, by workload, and with a draft that does not fit.</summary>
internal static class LatencyTables
{
    /// <summary>All workloads together, at a temperature.</summary>
    public static MarkdownTable ByPolicy(IReadOnlyDictionary<string, CellData> cells)
    {
        var table = new MarkdownTable("policy", "latency", "of autoregressive", "of static-opt", "mean length", "acceptance");
        var best = BestStatic(cells);
        foreach (var (policy, cell) in cells)
        {
            table.Add(
                policy + (policy == best ? " (static-opt)" : ""),
                MarkdownTable.Number(cell.MeanLatency, "0.000") + " s",
                policy == Plan.Plain ? "1" : MarkdownTable.With(Ratio.OfLatency(cell, cells[Plan.Plain])),
                policy == best ? "1" : MarkdownTable.With(Ratio.OfLatency(cell, cells[best])),
                MarkdownTable.Number(cell.MeanLength),
                MarkdownTable.Percent(cell.Acceptance)
            );
        }

        return table;
    }

    /// <summary>By workload, each as a ratio to autoregressive decoding.</summary>
    public static MarkdownTable ByWorkload(IReadOnlyDictionary<string, CellData> cells)
    {
        var best = BestStatic(cells);
        string[] policies = [best, .. cells.Keys.Where(policy => policy != Plan.Plain && !Plan.Statics.Contains(policy))];
        var table = new MarkdownTable(["workload", .. policies.Select(policy => policy == best ? $"static-opt ({policy})" : policy)]);
        foreach (var workload in cells[Plan.Plain].Outputs.Select(output => output.Workload).Distinct().Order(StringComparer.Ordinal))
        {
            table.Add([
                workload,
                .. policies.Select(policy =>
                    MarkdownTable.With(Ratio.OfLatency(cells[policy].Of(workload), cells[Plan.Plain].Of(workload)))
                ),
            ]);
        }

        return table;
    }

    /// <summary>The static length with the least latency per token in these very cells, so that luck counts for it.</summary>
    private static string BestStatic(IReadOnlyDictionary<string, CellData> cells) =>
        Plan.Statics.MinBy(policy => Ratio.OfLatency(cells[policy], cells[Plan.Plain]).Value)!;
}
