using Dsde.Batches.Following;
using Dsde.Batches.Reporting;
using Dsde.Contracts;
using Dsde.Persistence;
using Dsde.Persistence.Jobs;
using Dsde.Persistence.Migrating;
using Dsde.Pipeline;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Jobs.Ends;
using Dsde.Pipeline.Jobs.Run;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Resilience;
using Dsde.Pipeline.Telemetry;
using MassTransit;
using OpenTelemetry.Trace;

namespace Dsde.Worker.Cli.Clients;

/// <summary>
/// What the client verbs need: the database, and once it is connected the broker, to send and to follow. Whatever it does it does
/// patiently.
/// </summary>
internal sealed class BatchClient : IAsyncDisposable
{
    /// <summary>
    /// A broker that has not confirmed a message by then does not do its work: longer than a busy machine takes for another channel where
    /// the broker has closed one for a message's size.
    /// </summary>
    private static readonly TimeSpan ConfirmationTime = TimeSpan.FromSeconds(10);

    private readonly ServiceProvider _services;
    private readonly ClientBus _bus;
    private readonly RabbitMqOptions _rabbitMq;
    private readonly Patience _patience;
    private readonly Attendance _attendance;
    private readonly WorkerOptions _worker;
    private int _refusedCount;

    private BatchClient(ProgramSettings settings, Patience patience, Guid? followed)
    {
        _patience = patience;
        _rabbitMq = settings.RabbitMq();
        _worker = settings.Worker();
        var services = new ServiceCollection()
            .AddLogging()
            .AddSingleton(TimeProvider.System)
            .AddDsdePersistence(settings.Persistence())
            .AddSingleton<RunTally>()
            .AddSingleton(services => new BatchFollower(followed ?? Guid.Empty, services.GetRequiredService<RunTally>()));
        services.AddDsdeClientSpans();
        _services = services.BuildServiceProvider();
        _ = _services.GetService<TracerProvider>(); // records from now on
        _bus = new ClientBus(_rabbitMq, followed is null ? null : Follower);
        _attendance = new Attendance(_rabbitMq, Store, Attendance.AliveWithin(_worker));
    }

    /// <summary>The database, for who doesn't wait for it.</summary>
    public IJobStore Store => _services.GetRequiredService<IJobStore>();

    /// <summary>Sees the ends of the jobs of the batch that is followed.</summary>
    public BatchFollower Follower => _services.GetRequiredService<BatchFollower>();

    /// <summary>What has ended of it.</summary>
    public RunTally Tally => _services.GetRequiredService<RunTally>();

    /// <summary>Opens the database.</summary>
    /// <param name="patience">How long to wait for it, and later for the broker.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <param name="followed">The batch whose ends are to be seen once the broker is connected.</param>
    /// <exception cref="DatabaseUnavailableException">It can't be reached, for longer than the patience.</exception>
    /// <exception cref="ExpectedFailureException">The schema is not this program's.</exception>
    public static async Task<BatchClient> OpenAsync(Patience patience, CancellationToken cancellationToken, Guid? followed = null)
    {
        var client = new BatchClient(new ProgramSettings(), patience, followed);
        try
        {
            var migrator = client._services.GetRequiredService<IDatabaseMigrator>();
            var schema = await patience.Database.RunAsync(() => migrator.InspectAsync(cancellationToken), cancellationToken);
            return schema.Problem is { } problem ? throw new ExpectedFailureException(problem) : client;
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    /// <summary>Connects to the broker, and begins to follow.</summary>
    /// <exception cref="BrokerUnavailableException">It can't be reached, for longer than the patience.</exception>
    /// <exception cref="ExpectedFailureException">It refuses.</exception>
    public async Task ConnectAsync(CancellationToken cancellationToken)
    {
        await _patience.Broker.RunAsync(() => new QueueTopology(_rabbitMq, models: []).DeclareAsync(cancellationToken), cancellationToken);
        await InsistAsync((_, _) => Task.CompletedTask, cancellationToken);
    }

    /// <summary>Asks the database.</summary>
    public Task<T> AskAsync<T>(Func<IJobStore, Task<T>> question, CancellationToken cancellationToken) =>
        _patience.Database.RunAsync(() => question(Store), cancellationToken);

    /// <summary>Tells the database.</summary>
    public Task TellAsync(Func<IJobStore, Task> statement, CancellationToken cancellationToken) =>
        _patience.Database.RunAsync(() => statement(Store), cancellationToken);

    /// <summary>Jobs that were not sent because the broker takes no message of their size.</summary>
    public int RefusedCount => _refusedCount;

    /// <summary>
    /// Sends a job, and returns when the broker has it. One that is larger than the broker takes ends as failed, as if a worker had refused
    /// it, so that its batch can be complete without it.
    /// </summary>
    public async Task SendAsync(SubmitGenerationJob job, CancellationToken cancellationToken)
    {
        using var span = JobSpans.StartSubmission(QueueNames.GenerationJobs, job.JobId);
        try
        {
            await InsistAsync(
                (bus, token) =>
                    SizeRefusal.SendAsync(
                        job.JobId,
                        refusal => bus.ConnectSendObserver(refusal),
                        ended => bus.SendJobAsync(BusSetup.RabbitMqJobs, job, ended, MessageOrigin.CarryTrace),
                        TimeProvider.System,
                        token
                    ),
                cancellationToken
            );
        }
        catch (MessageTooLargeException refusal)
        {
            Interlocked.Increment(ref _refusedCount);
            span.Fail(FailureCodes.RequestTooLarge);
            var reason =
                $"The job is a message of {refusal.Bytes} bytes, and RabbitMQ at {_rabbitMq.Describe()} takes at most {refusal.Limit} "
                + "(max_message_size): shorten the job, or raise the broker's limit.";
            await FailAsync(job, new JobFailure(FailureCodes.RequestTooLarge, reason, Retryable: false), cancellationToken);
        }
    }

    /// <summary>Tells everybody something.</summary>
    /// <param name="message">What to tell.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="messageId">Its id; null for a new one.</param>
    public Task PublishAsync(object message, CancellationToken cancellationToken, Guid? messageId = null) =>
        InsistAsync(
            (bus, token) => bus.Publish(message, message.GetType(), send => send.MessageId = messageId ?? send.MessageId, token),
            cancellationToken
        );

    /// <summary>
    /// Looks once whether anybody works on jobs that were sent: what is lacking, for people; empty if nothing is, null while the broker is
    /// away.
    /// </summary>
    /// <param name="lanes">Those that they were sent by.</param>
    /// <param name="cancellationToken">Stops looking.</param>
    public Task<string?> PeekAtLackAsync(IReadOnlyCollection<Lane> lanes, CancellationToken cancellationToken) =>
        _patience.Broker.PeekAsync<string>(async () => await _attendance.DescribeLackAsync(lanes, cancellationToken));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _bus.DisposeAsync();
        await _services.DisposeAsync();
    }

    /// <summary>Ends a job that nobody has got, stores that and tells of it, as the worker does that ends one.</summary>
    private async Task FailAsync(SubmitGenerationJob job, JobFailure failure, CancellationToken cancellationToken)
    {
        var claim = new JobDelivery(job, JobLane.Bulk).ToClaim(new WorkerIdentity($"dsde-submit-{Guid.NewGuid():N}"), _worker);
        if (await AskAsync(store => store.ClaimAsync(claim, cancellationToken), cancellationToken) is not ClaimResult.Claimed claimed)
        {
            return; // it was sent before, and has ended
        }

        var end = new FailedJobEnd(claimed.Lease, failure);
        var stored =
            await AskAsync(store => store.StoreAsync(end, cancellationToken), cancellationToken)
            ?? throw new ExpectedFailureException($"Somebody else has ended the job {job.JobId} meanwhile. Submit the file again.");
        var told = JobEvents.Create(StoredJob.From(claim, claimed, end, stored), job);
        await PublishAsync(told, cancellationToken, JobEvents.MessageIdOf(job.JobId, told, claimed.Reopenings));
        if (stored.CompletedBatch is { } batch)
        {
            var complete = BatchAnnouncer.ToEvent(batch);
            await PublishAsync(complete, cancellationToken, JobEvents.MessageIdOf(batch.BatchId, complete, batch.Reopenings));
            await TellAsync(store => store.MarkBatchAnnouncedAsync(batch.BatchId, cancellationToken), cancellationToken);
        }
    }

    private Task InsistAsync(Func<IBus, CancellationToken, Task> work, CancellationToken cancellationToken) =>
        _patience.Broker.RunAsync(
            async () =>
            {
                try
                {
                    await _bus.UseAsync(work, ConfirmationTime, cancellationToken);
                }
                catch (TimeoutException exception)
                {
                    throw new BrokerUnavailableException(
                        $"RabbitMQ at {_rabbitMq.Describe()} does not answer, or confirms nothing: it is short of memory or disk, or away.",
                        exception
                    );
                }
                catch (Exception exception) when (!cancellationToken.IsCancellationRequested && BrokerPatience.IsLost(exception))
                {
                    throw BrokerFailure.Create(_rabbitMq, exception);
                }
            },
            cancellationToken
        );
}
