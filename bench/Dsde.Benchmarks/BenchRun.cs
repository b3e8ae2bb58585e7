using Dsde.Batches.Following;
using Dsde.Batches.Reporting;
using Dsde.Engine;
using Dsde.Pipeline;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Jobs.Run;
using Dsde.Pipeline.Telemetry;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dsde.Benchmarks;

/// <summary>
/// Measures a job file under every policy at every batch size and temperature; what has been measured can be read at any time.
/// </summary>
internal sealed class BenchRun(EngineOptions options, BenchSettings settings, JobFile file, TextWriter progressOutput, TimeProvider time)
{
    private readonly List<BenchRow> _rows = [];
    private BenchProgress? _progress;

    /// <summary>Rows so far; those of one workload come together.</summary>
    public IReadOnlyList<BenchRow> Rows => _rows;

    /// <summary>What was loaded last; null before anything was.</summary>
    public EngineDescription? Engine { get; private set; }

    /// <summary>Measures everything.</summary>
    /// <exception cref="ExpectedFailureException">The file has no job that can run, or none of a wanted workload.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        foreach (var batchSize in settings.BatchSizes)
        {
            // An engine per batch size: its cache and its plans are then those that a worker of this size has.
            options.BatchSize = batchSize;
            await using var engine = GenerationEngine.Load(options, time, NullLoggerFactory.Instance);
            Engine = engine.Description;
            var workloads = await ReadAsync(engine, cancellationToken);
            _progress ??= CreateProgress(workloads);
            var comparison = new PolicyComparison(engine, time, settings, _progress);
            await comparison.WarmUpAsync(workloads[^1], cancellationToken);
            foreach (var temperature in settings.Temperatures)
            {
                foreach (var workload in workloads)
                {
                    _rows.AddRange(await comparison.MeasureAsync(workload, temperature, cancellationToken));
                }
            }
        }
    }

    private BenchProgress CreateProgress(IReadOnlyList<BenchWorkload> workloads)
    {
        var repeats = settings.BatchSizes.Count * settings.Temperatures.Count * settings.Policies.Count * settings.Rounds;
        return new BenchProgress(
            progressOutput,
            time,
            repeats * workloads.Count,
            repeats * workloads.Sum(workload => (long)workload.Requests.Count)
        );
    }

    private async Task<IReadOnlyList<BenchWorkload>> ReadAsync(GenerationEngine engine, CancellationToken cancellationToken)
    {
        var validator = new JobValidator(engine, new WorkerOptions { Models = [engine.Description.Target] });
        var requests = new List<(string, GenerationRequest)>();
        string? firstError = null;
        var errorCount = 0;
        await foreach (var line in file.ReadAsync(cancellationToken))
        {
            try
            {
                var job = line.Job ?? throw new JobRejectedException(line.Error?.Code ?? "", line.Error?.Message ?? "");
                requests.AddRange(
                    validator.Validate(job).Select(request => (RunTally.LabelOf(job.Metadata), request with { Priority = 0 }))
                );
            }
            catch (JobRejectedException exception)
            {
                firstError ??= $"line {line.Number}: {exception.Message}";
                errorCount++;
            }
        }

        if (errorCount > 0 && _progress is null)
        {
            await progressOutput.WriteLineAsync(
                $"dsde: {errorCount} of the lines of {file.Path} can't run and are left out, the first: {firstError}"
            );
        }

        if (requests.Count == 0)
        {
            throw new ExpectedFailureException($"Job file {file.Path} has no job that can run. {firstError}");
        }

        var workloads = BenchWorkload.Group(requests, settings.Workloads);
        return workloads.Count > 0
            ? workloads
            : throw new ExpectedFailureException(
                $"--workloads is {string.Join(",", settings.Workloads ?? [])}, but {file.Path} has "
                    + $"{string.Join(", ", BenchWorkload.Group(requests, null).Select(workload => workload.Name))}."
            );
    }
}
