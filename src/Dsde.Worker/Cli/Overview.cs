using Dsde.Contracts;
using Dsde.Persistence;
using Dsde.Persistence.Migrating;
using Dsde.Pipeline;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Messaging.ErrorQueues;
using Dsde.Worker.Cli.Clients;
using RabbitMQ.Client.Exceptions;

namespace Dsde.Worker.Cli;

/// <summary>What is under way: who works, on what, and what waits. If database or broker is away, what the other one says.</summary>
/// <param name="Workers">Those that have said lately that they are there; null if the database did not tell.</param>
/// <param name="Batches">Those of which jobs are still to end, the latest first; null if the database did not tell.</param>
/// <param name="Queues">Those that exist; null if the broker did not tell.</param>
/// <param name="Problems">Why a part is missing.</param>
internal sealed record Overview(
    IReadOnlyList<Overview.Worker>? Workers,
    IReadOnlyList<Overview.Batch>? Batches,
    IReadOnlyList<Overview.Queue>? Queues,
    IReadOnlyList<string> Problems
)
{
    private const int MostBatches = 50;

    /// <summary>Reads it from database and broker.</summary>
    public static async Task<Overview> ReadAsync(ProgramSettings settings, CancellationToken cancellationToken)
    {
        var problems = new List<string>();
        var (workers, batches) = await ReadDatabaseAsync(settings, problems, cancellationToken);
        var queues = await ReadQueuesAsync(settings.RabbitMq(), problems, cancellationToken);
        return new Overview(workers, batches, queues, problems);
    }

    private static async Task<(IReadOnlyList<Worker>? Workers, IReadOnlyList<Batch>? Batches)> ReadDatabaseAsync(
        ProgramSettings settings,
        List<string> problems,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await using var client = await BatchClient.OpenAsync(Patience.None, cancellationToken);
            var workers = await client.Store.FindWorkersAsync(Attendance.AliveWithin(settings.Worker()), cancellationToken);
            var batches = await client.Store.FindBatchesUnderWayAsync(MostBatches, cancellationToken);
            return (
                [
                    .. workers.Select(worker => new Worker(
                        worker.WorkerId,
                        worker.Host,
                        worker.Models,
                        worker.BatchSize,
                        worker.HeldJobs,
                        worker.Up.TotalSeconds,
                        worker.SeenAgo.TotalSeconds
                    )),
                ],
                [
                    .. batches.Select(batch => new Batch(
                        batch.Progress.BatchId,
                        batch.Source,
                        batch.SubmittedAt,
                        batch.Progress.JobCount,
                        batch.Progress.Running,
                        batch.Progress.Completed,
                        batch.Progress.Failed,
                        batch.Progress.Cancelled
                    )),
                ]
            );
        }
        catch (Exception exception) when (exception is ExpectedFailureException or DatabaseUnavailableException or UnfitDatabaseException)
        {
            problems.Add(exception.Message);
            return (null, null);
        }
    }

    private static async Task<IReadOnlyList<Queue>?> ReadQueuesAsync(
        RabbitMqOptions rabbitMq,
        List<string> problems,
        CancellationToken cancellationToken
    )
    {
        string[] names =
        [
            .. Lane.All.Select(lane => lane.Queue),
            QueueNames.WaitingGenerationJobs,
            .. ErrorQueue.All.Select(queue => queue.Name),
        ];
        try
        {
            return await BrokerQueues.ReadAsync(rabbitMq, names, cancellationToken);
        }
        catch (Exception exception) when (exception is ExpectedFailureException || BrokerFailure.IsOne(exception))
        {
            problems.Add(exception is ExpectedFailureException ? exception.Message : BrokerFailure.Create(rabbitMq, exception).Message);
            return null;
        }
    }

    /// <summary>A worker.</summary>
    /// <param name="WorkerId">Who.</param>
    /// <param name="Host">The machine.</param>
    /// <param name="Models">Aliases of the models it serves.</param>
    /// <param name="BatchSize">Sequences its engine runs at once.</param>
    /// <param name="HeldJobs">Jobs it has, as of when it was last seen.</param>
    /// <param name="UpSeconds">Since its start.</param>
    /// <param name="SeenSecondsAgo">Since it last said that it is there.</param>
    internal sealed record Worker(
        string WorkerId,
        string Host,
        IReadOnlyList<string> Models,
        int BatchSize,
        int HeldJobs,
        double UpSeconds,
        double SeenSecondsAgo
    );

    /// <summary>A batch.</summary>
    /// <param name="BatchId">Which.</param>
    /// <param name="Source">Where its jobs came from.</param>
    /// <param name="SubmittedAt">When.</param>
    /// <param name="JobCount">Jobs it has; null if nobody said.</param>
    /// <param name="Running">Jobs that a worker has.</param>
    /// <param name="Completed">Jobs with an output.</param>
    /// <param name="Failed">Jobs that failed.</param>
    /// <param name="Cancelled">Jobs cancelled or expired.</param>
    internal sealed record Batch(
        Guid BatchId,
        string? Source,
        DateTimeOffset? SubmittedAt,
        int? JobCount,
        int Running,
        int Completed,
        int Failed,
        int Cancelled
    );

    /// <summary>A queue.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="Messages">Messages that wait in it; those that a worker has been given are not among them.</param>
    /// <param name="Consumers">Workers attached to it.</param>
    internal sealed record Queue(string Name, uint Messages, uint Consumers);
}
