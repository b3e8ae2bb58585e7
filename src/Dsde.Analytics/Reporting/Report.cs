using Dsde.Persistence.Analysis;

namespace Dsde.Analytics.Reporting;

/// <summary>Gathers what a report says from a database.</summary>
internal static class Report
{
    private const int MostOutputs = 100_000;
    private const int MostSeries = 1000;
    private const int Listed = 10;

    /// <summary>
    /// Reads everything. Of a very large selection it takes a sample, by the jobs' ids; counts of jobs are always of all.
    /// </summary>
    /// <param name="reader">The database.</param>
    /// <param name="filter">What the report is about.</param>
    /// <param name="subject">The same in words.</param>
    /// <param name="withSignals">Whether signals are put on trial.</param>
    /// <param name="now">The time.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<ReportData> ReadAsync(
        IReportReader reader,
        TraceFilter filter,
        string subject,
        bool withSignals,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(reader);
        var counts = await reader.CountAsync(filter, cancellationToken);
        var outputs = new List<StoredSummary>();
        await foreach (var output in reader.ReadSummariesAsync(Sample(filter, counts.Outputs, MostOutputs), cancellationToken))
        {
            outputs.Add(output);
        }

        List<StoredSummary> slowest = [.. outputs.OrderByDescending(Figures.EndToEndMs).Take(Listed)];
        List<StoredSummary> worst =
        [
            .. outputs
                .Where(output => output.Trace.Proposed > 0)
                .OrderBy(output => (double)output.Trace.Accepted / output.Trace.Proposed)
                .ThenByDescending(output => output.Trace.Proposed)
                .Take(Listed),
        ];
        var listed = slowest.Concat(worst).DistinctBy(output => (output.JobId, output.Choice)).ToList();
        var steps = new StepFigures();
        await foreach (var trace in reader.ReadAsync(Sample(filter, counts.Outputs, MostSeries), cancellationToken))
        {
            steps.Add(trace);
        }

        return new ReportData
        {
            Subject = subject,
            CreatedAt = now,
            Jobs = counts.ByState,
            Failures = counts.FailuresByCode,
            Outputs = counts.Outputs,
            OutputsRead = outputs.Count,
            SeriesRead = steps.Outputs,
            Total = outputs.Count > 0 ? Figures.Sum(outputs, isAll: true) : null,
            Groups = Figures.Group(outputs),
            Latency = Figures.Latency(outputs),
            Throughput = Figures.Throughput(outputs),
            Lengths = steps.Lengths,
            Course = steps.Course,
            Curves = SignalFigures.Curves(steps.Signals.Steps),
            Calibration = steps.Calibration,
            Correlations = SignalFigures.Correlations(steps.Signals.Steps),
            Signals = withSignals ? SignalTrial.Rank(steps.Signals.Steps) : null,
            Guard = steps.Guard,
            Slowest = [.. slowest.Select(Figures.Line)],
            LeastAccepted = [.. worst.Select(Figures.Line)],
            Pages = await ReadPagesAsync(reader, listed, cancellationToken),
        };
    }

    private static async Task<IReadOnlyList<OutputPage>> ReadPagesAsync(
        IReportReader reader,
        List<StoredSummary> listed,
        CancellationToken cancellationToken
    )
    {
        var ids = listed.Select(output => output.JobId).Distinct().ToList();
        var texts = await reader.ReadTextsAsync(ids, cancellationToken);
        var traces = (await reader.ReadOfJobsAsync(ids, cancellationToken)).ToDictionary(trace => (trace.JobId, trace.Choice));
        return
        [
            .. listed.Select(output => new OutputPage(
                Figures.Line(output),
                texts.GetValueOrDefault((output.JobId, output.Choice)),
                traces.TryGetValue((output.JobId, output.Choice), out var trace) ? TokenWalk.Of(trace.Trace) : []
            )),
        ];
    }

    /// <summary>So large a sample that about as many are left as wanted, and all where there are no more.</summary>
    private static TraceFilter Sample(TraceFilter filter, long there, int wanted) =>
        there <= wanted
            ? filter
            : filter with
            {
                Sample = Math.Clamp((int)(TraceFilter.SampleOf * wanted / there), 1, TraceFilter.SampleOf),
            };
}
