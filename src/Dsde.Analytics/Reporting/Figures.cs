using Dsde.Persistence.Analysis;
using Dsde.Statistics;

namespace Dsde.Analytics.Reporting;

/// <summary>Figures of outputs that need no series.</summary>
internal static class Figures
{
    private const int MostSpans = 60;

    private static readonly (string Name, Func<StoredSummary, double> Ms)[] Parts =
    [
        ("queue", QueueMs),
        ("around the engine", summary => Math.Max(0, EndToEndMs(summary) - QueueMs(summary) - summary.Trace.TotalMs)),
        ("waiting for a slot", summary => summary.Trace.WaitingMs),
        ("prefill", summary => summary.Trace.PrefillMs),
        ("iterations of others", summary => summary.Trace.OthersMs),
        ("draft", summary => summary.Trace.DraftMs),
        ("verify", summary => summary.Trace.VerifyMs),
        ("sampling", summary => summary.Trace.SamplingMs),
        ("rest", summary => summary.Trace.RestMs),
    ];

    /// <summary>From sending, or first sight, to the stored end; at least the time in the engine.</summary>
    public static double EndToEndMs(StoredSummary summary) =>
        Math.Max(
            summary.Trace.TotalMs,
            (summary.SubmittedAt ?? summary.CreatedAt) is { } begin ? (summary.StoredAt - begin).TotalMilliseconds : 0
        );

    /// <summary>A group of outputs of one kind, or of all.</summary>
    /// <param name="outputs">At least one.</param>
    /// <param name="isAll">Whether they are of many kinds.</param>
    public static ReportGroup Sum(IReadOnlyCollection<StoredSummary> outputs, bool isAll)
    {
        var any = outputs.First();
        var (iterations, speculating) = (
            outputs.Sum(one => (long)one.Trace.Iterations),
            outputs.Sum(one => (long)one.Trace.SpeculatingIterations)
        );
        var (proposed, accepted) = (outputs.Sum(one => (long)one.Trace.Proposed), outputs.Sum(one => (long)one.Trace.Accepted));
        var tokens = outputs.Sum(one => (long)one.Trace.CompletionTokens);
        var machine = outputs.Sum(MachineMs) / 1000;
        var measured = outputs.Where(one => one.Trace.MeanKld is not null).ToList();
        var drafted = measured.Sum(one => (long)one.Trace.Drafted);
        var times = outputs.Select(one => EndToEndMs(one) / 1000).Order().ToList();
        return new ReportGroup
        {
            Workload = isAll ? null : any.Workload,
            Policy = isAll ? null : any.Trace.Policy,
            TargetModel = isAll ? null : any.Trace.TargetModel,
            Temperature = isAll ? null : any.Trace.Temperature,
            Outputs = outputs.Count,
            CompletionTokens = tokens,
            // Read once for all outputs; of several prompts the first, as the views have it.
            PromptTokens = outputs.Where(one => one.Choice == 0).Sum(one => (long)one.Trace.PromptTokens),
            Proposed = proposed,
            Accepted = accepted,
            Forced = outputs.Sum(one => (long)one.Trace.Forced),
            AcceptanceRate = Ratio(accepted, proposed),
            BlockEfficiency = Ratio(tokens - outputs.Count, iterations),
            MeanLength = Ratio(proposed, speculating),
            MeanKld = drafted > 0 ? measured.Sum(one => (double)one.Trace.MeanKld!.Value * one.Trace.Drafted) / drafted : null,
            MachineSeconds = machine,
            TokensPerMachineSecond = machine > 0 ? tokens / machine : null,
            MedianSeconds = Samples.Quantile(times, 0.5),
            P95Seconds = Samples.Quantile(times, 0.95),
        };
    }

    /// <summary>Groups of outputs that are alike, largest first.</summary>
    public static IReadOnlyList<ReportGroup> Group(IReadOnlyCollection<StoredSummary> outputs) =>
        [
            .. outputs
                .GroupBy(one => (one.Workload, one.Trace.Policy, one.Trace.TargetModel, one.Trace.Temperature))
                .Select(group => Sum([.. group], isAll: false))
                .OrderBy(group => group.Workload, StringComparer.Ordinal)
                .ThenBy(group => group.Temperature)
                .ThenBy(group => group.Policy, StringComparer.Ordinal),
        ];

    /// <summary>Where the time goes.</summary>
    public static IReadOnlyList<LatencyPart> Latency(IReadOnlyCollection<StoredSummary> outputs)
    {
        return outputs.Count == 0
            ? []
            : [.. Parts.Select(part => Part(part.Name, part.Ms)), Part("from sending to the stored end", EndToEndMs)];

        LatencyPart Part(string name, Func<StoredSummary, double> ms)
        {
            var times = outputs.Select(ms).Order().ToList();
            return new LatencyPart(
                name,
                times.Average(),
                Samples.Quantile(times, 0.5),
                Samples.Quantile(times, 0.9),
                Samples.Quantile(times, 0.99)
            );
        }
    }

    /// <summary>Tokens over time: spans of a round length, so many that a page can show them.</summary>
    public static IReadOnlyList<ThroughputCell> Throughput(IReadOnlyCollection<StoredSummary> outputs)
    {
        if (outputs.Count == 0)
        {
            return [];
        }

        var (first, last) = (outputs.Min(one => one.StoredAt), outputs.Max(one => one.StoredAt));
        var span = RoundSpan((last - first) / MostSpans);
        var begin = new DateTimeOffset(first.UtcTicks / span.Ticks * span.Ticks, TimeSpan.Zero);
        return
        [
            .. outputs
                .GroupBy(one => ((one.StoredAt.UtcTicks - begin.Ticks) / span.Ticks, one.WorkerId))
                .OrderBy(group => group.Key)
                .Select(group => new ThroughputCell(
                    begin + (span * group.Key.Item1),
                    span.TotalSeconds,
                    group.Key.WorkerId,
                    group.Sum(one => (long)one.Trace.CompletionTokens)
                )),
        ];
    }

    /// <summary>An output as a line of a list.</summary>
    public static OutputLine Line(StoredSummary output) =>
        new()
        {
            JobId = output.JobId,
            Choice = output.Choice,
            CustomId = output.CustomId,
            Workload = output.Workload,
            Policy = output.Trace.Policy,
            CompletionTokens = output.Trace.CompletionTokens,
            AcceptanceRate = Ratio(output.Trace.Accepted, output.Trace.Proposed),
            Seconds = EndToEndMs(output) / 1000,
            EngineSeconds = output.Trace.TotalMs / 1000,
        };

    private static double MachineMs(StoredSummary one) =>
        one.Trace.PrefillShareMs + one.Trace.DraftShareMs + one.Trace.VerifyShareMs + one.Trace.SamplingShareMs;

    private static double QueueMs(StoredSummary summary) =>
        summary is { SubmittedAt: { } sent, CreatedAt: { } seen } && seen > sent
            ? Math.Min((seen - sent).TotalMilliseconds, EndToEndMs(summary) - summary.Trace.TotalMs)
            : 0;

    private static double? Ratio(long part, long whole) => whole > 0 ? (double)part / whole : null;

    private static TimeSpan RoundSpan(TimeSpan least)
    {
        foreach (var seconds in (int[])[1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200])
        {
            if (least.TotalSeconds <= seconds)
            {
                return TimeSpan.FromSeconds(seconds);
            }
        }

        return TimeSpan.FromDays(Math.Ceiling(least.TotalDays));
    }
}
