using System.Globalization;
using Dsde.Contracts;
using Dsde.Engine;
using Dsde.Persistence;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Benchmarks.Pipeline;

/// <summary>Measures what the pipeline itself takes, against what broker and database take at least, round after round in turn.</summary>
internal sealed class PipelineBench(RabbitMqOptions rabbitMq, PersistenceOptions persistence, TextWriter progress, TimeProvider time)
{
    private const int WarmUpShare = 4;
    private const int MostWarmUpJobs = 2000;
    private const int PrefetchMargin = 2;

    private readonly MeasuredWorker _worker = new(rabbitMq, time);

    /// <summary>With an engine that answers at once.</summary>
    public async Task<IReadOnlyList<PipelineRound>> MeasureAsync(PipelineSettings settings, CancellationToken cancellationToken)
    {
        var engine = new InstantEngine(settings.Capacity, settings.Tokens);
        await using var queue = await BenchQueue.OpenAsync(rabbitMq, cancellationToken);
        await progress.WriteLineAsync("warming up");
        await MeasureRoundAsync(
            queue,
            engine,
            settings with
            {
                JobCount = Math.Min(MostWarmUpJobs, Math.Max(1, settings.JobCount / WarmUpShare)),
            },
            cancellationToken
        );
        var rounds = new List<PipelineRound>();
        while (rounds.Count < settings.Rounds)
        {
            rounds.Add(await MeasureRoundAsync(queue, engine, settings, cancellationToken));
            await progress.WriteLineAsync(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"round {rounds.Count} of {settings.Rounds}: {rounds[^1].JobsPerSecond:N0} jobs/s, "
                        + $"{rounds[^1].ProcessorMsPerJob:F2} ms of CPU per job, {rounds[^1].ShareOfFloor:P0} of the floor"
                )
            );
        }

        return rounds;
    }

    /// <summary>
    /// With a real engine: the same jobs directly and through the pipeline, in turn, the order changing from round to round.
    /// </summary>
    /// <param name="engine">Stays the caller's.</param>
    /// <param name="readJobs">The jobs, under new ids of a new batch.</param>
    /// <param name="readRequests">What the engine is asked for, directly.</param>
    /// <param name="rounds">How often; medians are shown.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<IReadOnlyList<EngineRound>> MeasureAsync(
        IGenerationEngine engine,
        Func<Guid, IReadOnlyList<SubmitGenerationJob>> readJobs,
        IReadOnlyList<GenerationRequest> readRequests,
        int rounds,
        CancellationToken cancellationToken
    )
    {
        await using var queue = await BenchQueue.OpenAsync(rabbitMq, cancellationToken);
        await progress.WriteLineAsync("warming up");
        await RunPipelineAsync();
        await RunDirectlyAsync();
        var measured = new List<EngineRound>();
        while (measured.Count < rounds)
        {
            var isDirectFirst = measured.Count % 2 == 0;
            var first = isDirectFirst ? await RunDirectlyAsync() : await RunPipelineAsync();
            var second = isDirectFirst ? await RunPipelineAsync() : await RunDirectlyAsync();
            measured.Add(isDirectFirst ? new EngineRound(first, second) : new EngineRound(second, first));
            await progress.WriteLineAsync(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"round {measured.Count} of {rounds}: {measured[^1].DirectTokensPerSecond:N0} tokens/s directly, "
                        + $"{measured[^1].PipelineTokensPerSecond:N0} through the pipeline"
                )
            );
        }

        return measured;

        async Task<double> RunDirectlyAsync()
        {
            var (start, before) = (time.GetTimestamp(), engine.GetSnapshot().Emitted);
            await Task.WhenAll(readRequests.Select(request => engine.GenerateAsync(request, cancellationToken)));
            return (engine.GetSnapshot().Emitted - before) / time.GetElapsedTime(start).TotalSeconds;
        }

        async Task<double> RunPipelineAsync()
        {
            await using var database = await BenchDatabase.CreateAsync(persistence, cancellationToken);
            var batchId = Guid.NewGuid();
            await queue.FillAsync(readJobs(batchId), cancellationToken);
            var before = engine.GetSnapshot().Emitted;
            var (elapsed, _) = await _worker.RunAsync(engine, database, batchId, readRequests.Count, cancellationToken);
            return (engine.GetSnapshot().Emitted - before) / elapsed.TotalSeconds;
        }
    }

    private async Task<PipelineRound> MeasureRoundAsync(
        BenchQueue queue,
        InstantEngine engine,
        PipelineSettings settings,
        CancellationToken cancellationToken
    )
    {
        await using var database = await BenchDatabase.CreateAsync(persistence, cancellationToken);
        var batchId = Guid.NewGuid();
        await queue.FillAsync(CreateJobs(batchId, settings), cancellationToken);
        var (elapsed, processorTime) = await _worker.RunAsync(engine, database, batchId, settings.JobCount, cancellationToken);
        var copied = await CopyFloor.MeasureAsync(database, settings.Capacity, time, cancellationToken);
        await queue.FillAsync(CreateJobs(batchId, settings), cancellationToken);
        var consumed = await queue.DrainAsync(settings.JobCount, (ushort)(settings.Capacity + PrefetchMargin), time, cancellationToken);
        return new PipelineRound(
            settings.JobCount / elapsed.TotalSeconds,
            processorTime.TotalMilliseconds / settings.JobCount,
            settings.JobCount / consumed.TotalSeconds,
            settings.JobCount / copied.TotalSeconds
        );
    }

    private static IEnumerable<SubmitGenerationJob> CreateJobs(Guid batchId, PipelineSettings settings) =>
        Enumerable
            .Range(0, settings.JobCount)
            .Select(number => new SubmitGenerationJob
            {
                JobId = Guid.NewGuid(),
                BatchId = batchId,
                CustomId = string.Create(CultureInfo.InvariantCulture, $"bench-{number}"),
                Model = BenchQueue.Model,
                Prompt = string.Create(
                    CultureInfo.InvariantCulture,
                    $"Story {number}: once upon a time there was a fox that lived under an old tree at the edge of the wood, and "
                        + $"every morning it went down to the river. "
                ),
                MaxTokens = settings.Tokens,
                Temperature = 0,
                Metadata = new Dictionary<string, string> { ["workload"] = "bench" },
            });
}
