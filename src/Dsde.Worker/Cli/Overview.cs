using Dsde.Contracts;
using Dsde.Persistence;
using Dsde.Persistence.Migrating;
using Dsde.Pipeline;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Messaging.ErrorQueues;
using Dsde.Pipeline.Messaging.Routing;
using Dsde.Pipeline.Messaging.Taking;
using Dsde.Worker.Cli.Clients;

namespace Dsde.Worker.Cli;

/// <summary>What is under way: who works, on what, and what waits. If database or broker is away, what the other one says.</summary>
/// <param name="Workers">Those that have said lately that they are there; null if the database did not tell.</param>
/// <param name="Batches">Those of which jobs are still to end, the latest first; null if the database did not tell.</param>
/// <param name="Queues">Those that exist; null if the broker did not tell.</param>
/// <param name="Models">Those that workers serve, have served, or that jobs wait for.</param>
/// <param name="Problems">Why a part is missing.</param>
internal sealed record Overview(
    IReadOnlyList<Overview.Worker>? Workers,
    IReadOnlyList<Overview.Batch>? Batches,
    IReadOnlyList<Overview.Queue>? Queues,
    IReadOnlyList<Overview.Model> Models,
    IReadOnlyList<string> Problems
)
{
    private const int MostBatches = 50;
    private const int MostParkedSeen = 1000;

    /// <summary>Reads it from database and broker.</summary>
    public static async Task<Overview> ReadAsync(ProgramSettings settings, CancellationToken cancellationToken)
    {
        var problems = new List<string>();
        var (workers, batches, known) = await ReadDatabaseAsync(settings, problems, cancellationToken);
        var names = known.Union(settings.Worker().Models).Order(StringComparer.Ordinal).ToList();
        var (queues, parked) = await ReadBrokerAsync(settings.RabbitMq(), names, problems, cancellationToken);
        return new Overview(workers, batches, queues, [.. ListModels(workers, queues, parked, names)], problems);
    }

    private static async Task<(
        IReadOnlyList<Worker>? Workers,
        IReadOnlyList<Batch>? Batches,
        IReadOnlyList<string> Models
    )> ReadDatabaseAsync(ProgramSettings settings, List<string> problems, CancellationToken cancellationToken)
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
                ],
                await client.Store.FindModelsAsync(cancellationToken)
            );
        }
        catch (Exception exception) when (exception is ExpectedFailureException or DatabaseUnavailableException or UnfitDatabaseException)
        {
            problems.Add(exception.Message);
            return (null, null, []);
        }
    }

    private static async Task<(IReadOnlyList<Queue>? Queues, IReadOnlyDictionary<string, uint> Parked)> ReadBrokerAsync(
        RabbitMqOptions rabbitMq,
        IEnumerable<string> models,
        List<string> problems,
        CancellationToken cancellationToken
    )
    {
        string[] names =
        [
            .. models.Where(ModelAlias.IsValid).SelectMany(Lane.AllOf).Select(lane => lane.Queue),
            QueueNames.UnroutedGenerationJobs,
            QueueNames.ParkedGenerationJobs,
            QueueNames.HeldGenerationJobs,
            .. ErrorQueue.Names,
            .. EarlierQueues.Names,
        ];
        try
        {
            await using var connection = await PlainConnection.OpenAsync(rabbitMq, cancellationToken);
            var reader = new QueueReader(connection);
            var queues = await BrokerQueues.ReadAsync(reader, names, cancellationToken);
            return (queues, await CountParkedAsync(reader, cancellationToken));
        }
        catch (Exception exception) when (exception is ExpectedFailureException || BrokerFailure.IsOne(exception))
        {
            problems.Add(exception is ExpectedFailureException ? exception.Message : BrokerFailure.Create(rabbitMq, exception).Message);
            return (null, new Dictionary<string, uint>());
        }
    }

    /// <summary>Jobs that wait for a worker of their model, by model: of very many the first.</summary>
    private static async Task<IReadOnlyDictionary<string, uint>> CountParkedAsync(QueueReader reader, CancellationToken cancellationToken)
    {
        var counts = new Dictionary<string, uint>(StringComparer.Ordinal);
        await foreach (var message in reader.TakeAsync(QueueNames.ParkedGenerationJobs, MostParkedSeen, cancellationToken))
        {
            if (Parking.FindLane(message.Properties)?.Model is { } model)
            {
                counts[model] = counts.GetValueOrDefault(model) + 1;
            }
        }

        return counts;
    }

    /// <summary>A model that nobody serves is left out, unless something waits for it.</summary>
    private static IEnumerable<Model> ListModels(
        IReadOnlyList<Worker>? workers,
        IReadOnlyList<Queue>? queues,
        IReadOnlyDictionary<string, uint> parked,
        IReadOnlyList<string> known
    )
    {
        foreach (var name in known.Union(parked.Keys).Order(StringComparer.Ordinal))
        {
            var lanes = Lane.AllOf(name).Select(lane => queues?.FirstOrDefault(queue => queue.Name == lane.Queue)).ToList();
            var serving = workers?.Count(worker => worker.Models.Contains(name, StringComparer.Ordinal));
            if (serving > 0 || parked.ContainsKey(name) || lanes.Exists(queue => queue is not null))
            {
                yield return new Model(
                    name,
                    serving,
                    lanes[0]?.Consumers,
                    lanes[0]?.Messages,
                    lanes[1]?.Messages,
                    lanes[2]?.Messages,
                    parked.GetValueOrDefault(name)
                );
            }
        }
    }

    /// <summary>A model.</summary>
    /// <param name="Name">Its alias.</param>
    /// <param name="Workers">Living workers that serve it; null if the database did not tell.</param>
    /// <param name="Consumers">Workers attached to its queue; null if it has none, or the broker did not tell.</param>
    /// <param name="Waiting">Jobs in its queue that no worker has been given.</param>
    /// <param name="High">Those that overtake them.</param>
    /// <param name="Resumed">Those that were begun and have waited for another worker's claim.</param>
    /// <param name="Parked">Those that wait because no worker has ever served it; of very many in all, the first thousand are
    /// counted.</param>
    internal sealed record Model(string Name, int? Workers, uint? Consumers, uint? Waiting, uint? High, uint? Resumed, uint Parked);

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
