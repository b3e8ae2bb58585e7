using Dsde.Engine;
using Dsde.Persistence;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Telemetry;
using MassTransit;
using Npgsql;

namespace Dsde.Benchmarks.Pipeline;

/// <summary>Runs a worker, as <c>dsde worker</c> has it, over a queue that has been filled, until it is empty.</summary>
internal sealed class MeasuredWorker(RabbitMqOptions rabbitMq, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>Runs it.</summary>
    /// <param name="engine">Stays the caller's.</param>
    /// <param name="database">Where to store.</param>
    /// <param name="batchId">The jobs' batch, to be registered.</param>
    /// <param name="jobCount">How many there are.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Time and processor time of this process from the first request to the engine until the last job was announced.</returns>
    /// <exception cref="ExpectedFailureException">Not every job was stored as completed.</exception>
    public async Task<(TimeSpan Elapsed, TimeSpan ProcessorTime)> RunAsync(
        IGenerationEngine engine,
        BenchDatabase database,
        Guid batchId,
        int jobCount,
        CancellationToken cancellationToken
    )
    {
        var measured = new BenchEngine(engine, time);
        var ends = new EndCounter(batchId, jobCount);
        var options = new WorkerOptions { Models = [BenchQueue.Model], DrainSeconds = 5 };
        using var loggers = LoggerFactory.Create(logging => logging.AddConsole().SetMinimumLevel(LogLevel.Error));
        var application = WorkerApplication.Build(measured, options, rabbitMq, database.Options, loggers);
        await using ((IAsyncDisposable)application)
        {
            await application
                .Services.GetRequiredService<IJobStore>()
                .RegisterBatchAsync(new NewBatch(batchId, jobCount, "dsde bench pipeline"), cancellationToken);
            application.Services.GetRequiredService<IBus>().ConnectConsumeObserver(ends);
            await application.StartAsync(cancellationToken);
            await WaitAsync(ends, jobCount, cancellationToken);
            var (first, last) = (measured.First, BenchEngine.Moment.Now(time));
            await application.StopAsync(cancellationToken);
            await RequireAllCompletedAsync(database, batchId, jobCount, cancellationToken);
            return (time.GetElapsedTime(first.Timestamp, last.Timestamp), last.ProcessorTime - first.ProcessorTime);
        }
    }

    private static async Task WaitAsync(EndCounter ends, int jobCount, CancellationToken cancellationToken)
    {
        for (var before = -1; !ends.All.IsCompleted; )
        {
            if (before == ends.Count)
            {
                throw new ExpectedFailureException(
                    $"The worker stands still: {before} of {jobCount} jobs have ended, and none in {Patience.TotalMinutes} minutes. "
                        + $"Its log says why."
                );
            }

            before = ends.Count;
            await Task.WhenAny(ends.All, Task.Delay(Patience, cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private static async Task RequireAllCompletedAsync(
        BenchDatabase database,
        Guid batchId,
        int jobCount,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(
            "SELECT count(*) FROM job_traces WHERE state = 'completed' AND batch_id = $1",
            connection
        )
        {
            Parameters = { new() { Value = batchId } },
        };
        if (await command.ExecuteScalarAsync(cancellationToken) is not long completed || completed != jobCount)
        {
            throw new ExpectedFailureException(
                $"Of {jobCount} jobs not all are stored as completed with their trace. This is a fault of the program; its log says more."
            );
        }
    }
}
