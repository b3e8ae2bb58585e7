using Dsde.Contracts;
using Dsde.Persistence;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Resilience;

namespace Dsde.Pipeline.Jobs.Ends;

/// <summary>
/// What follows a stored end: its event, and that of its batch, and once the broker has the event the text goes, where texts are not to
/// stay. Each step may be done again, as the job is delivered again if the worker dies on the way.
/// </summary>
internal sealed class EndAnnouncer(
    IJobStore store,
    EventPublisher events,
    BatchAnnouncer batches,
    DatabasePatience patience,
    WorkerOptions options,
    TimeProvider time
)
{
    /// <summary>Tells of an end. <paramref name="cancellationToken"/>: the delivery is lost; it comes again.</summary>
    public async Task AnnounceAsync(
        SubmitGenerationJob job,
        JobOutcome.Ended ended,
        MessageOrigin origin,
        CancellationToken cancellationToken
    )
    {
        var isWhole = await PublishAsync(job.JobId, JobEvents.Create(ended.Job, job), ended.Job.Reopenings, origin, cancellationToken);
        if (!options.StoreOutputs && isWhole && ended.Job.Outputs.Any(output => output.Text is not null))
        {
            await patience.RunAsync(() => store.EraseAsync(job.JobId, cancellationToken), cancellationToken);
        }

        if (ended.CompletedBatch is { } batch)
        {
            await batches.AnnounceAsync(batch, cancellationToken);
        }
        else if (!ended.IsNew && ended.Job.BatchId is { } batchId)
        {
            await batches.AnnounceIfCompleteAsync(batchId, cancellationToken);
        }
    }

    /// <summary>Tells that a job was refused, because its id stands for another one.</summary>
    public Task AnnounceAsync(
        SubmitGenerationJob job,
        JobOutcome.Conflict conflict,
        MessageOrigin origin,
        CancellationToken cancellationToken
    ) =>
        PublishAsync(
            job.JobId,
            JobEvents.CreateFailed(job.JobId, job.BatchId, job.CustomId, conflict.Failure, job.Metadata, time.GetUtcNow()),
            reopenings: 0,
            origin,
            cancellationToken
        );

    /// <summary>Returns when the broker has confirmed it; whether it was sent whole.</summary>
    private Task<bool> PublishAsync(Guid jobId, object jobEvent, int reopenings, MessageOrigin origin, CancellationToken cancellationToken)
    {
        var messageId = JobEvents.MessageIdOf(jobId, jobEvent, reopenings);
        var smaller = JobEvents.WithoutOutputs(jobEvent);
        var isBounded = options.StoreOutputs && smaller is not null && JobEvents.CountBytes(jobEvent) > options.MaxEventBytes;
        return isBounded
            ? events.PublishAsync(smaller!, smaller: null, messageId, jobId, origin, cancellationToken)
            : events.PublishAsync(jobEvent, smaller, messageId, jobId, origin, cancellationToken);
    }
}
