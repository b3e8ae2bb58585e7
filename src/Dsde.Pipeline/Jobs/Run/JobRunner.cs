using Dsde.Contracts;
using Dsde.Persistence;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Jobs.Checkpoints;
using Dsde.Pipeline.Jobs.Ends;
using Dsde.Pipeline.Jobs.Held;
using Dsde.Pipeline.Resilience;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Jobs.Run;

/// <summary>
/// The life of a job between delivery and acknowledgement: claim, run, store. Whatever happens on the way, the job has a stored end, or
/// goes back to the queue, or is another worker's.
/// </summary>
internal sealed class JobRunner(
    IJobStore store,
    JobAttempt attempt,
    CheckpointWriter checkpoints,
    HeldJobs heldJobs,
    DatabasePatience patience,
    WorkerIdentity identity,
    WorkerOptions options,
    WorkerMetrics metrics,
    ILogger<JobRunner> logger
)
{
    private const int MostStoreFailures = 5;

    /// <summary>Runs a job to its end, or finds the end it had.</summary>
    public async Task<JobOutcome> RunAsync(JobDelivery delivery)
    {
        var claim = delivery.ToClaim(identity, options);
        try
        {
            while (true)
            {
                heldJobs.HandBack.ThrowIfCancellationRequested();
                switch (await ClaimAsync(claim))
                {
                    case ClaimResult.Claimed claimed:
                        if (await RunClaimedAsync(delivery, claim, claimed) is { } outcome)
                        {
                            return outcome;
                        }

                        claim = claim with { LeaseToken = Guid.NewGuid() };
                        break; // it is another worker's, or was ended by it: look again
                    case ClaimResult.Ended earlier:
                        return new JobOutcome.Ended(earlier.Job, IsNew: false);
                    case ClaimResult.Conflict:
                        logger.JobConflicts(claim.JobId);
                        return new JobOutcome.Conflict(
                            new JobFailure(
                                FailureCodes.JobIdConflict,
                                $"Job id {claim.JobId} was used before for another request, which keeps its result. Send this one "
                                    + $"under a new id.",
                                Retryable: false
                            )
                        );
                    case ClaimResult.Held:
                        return new JobOutcome.HeldElsewhere();
                }
            }
        }
        catch (OperationCanceledException) when (heldJobs.HandBack.IsCancellationRequested)
        {
            return new JobOutcome.HandedBack();
        }
    }

    private async Task<ClaimResult> ClaimAsync(JobClaim claim)
    {
        using var span = JobSpans.Start("claim");
        return await patience.RunAsync(() => store.ClaimAsync(claim, heldJobs.Abandoned), heldJobs.HandBack);
    }

    /// <summary>Null if the claim was lost on the way.</summary>
    private async Task<JobOutcome?> RunClaimedAsync(JobDelivery delivery, JobClaim claim, ClaimResult.Claimed claimed)
    {
        JobSpans.NoteClaim(claimed);
        if (claimed.Attempt == 1)
        {
            metrics.JobStarted(delivery);
        }
        else
        {
            var tokens = claimed.Checkpoints.Sum(checkpoint => checkpoint.TokenCount);
            logger.JobTakenOver(claim.JobId, claimed.Attempt, tokens, claimed.LostStarts);
        }

        using var held = heldJobs.Add(claimed.Lease, claim.BatchId);
        try
        {
            return await AttemptAsync(delivery, held, claimed) is { } end
                ? await EndAsync(claim, claimed, held, end)
                : await GiveBackAsync(held);
        }
        catch (OperationCanceledException)
        {
            return await GiveBackAsync(held);
        }
        catch
        {
            await TryReleaseAsync(held.Lease); // nobody holds the message much longer: it goes to the error queue
            throw;
        }
    }

    private async Task<JobEnd?> AttemptAsync(JobDelivery delivery, HeldJob held, ClaimResult.Claimed claimed)
    {
        using var span = JobSpans.StartGeneration(delivery.Job, options.Models);
        try
        {
            var end = await attempt.RunAsync(delivery, held, claimed);
            span.Count(end);
            return end;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            logger.JobFaulted(held.Lease.JobId, exception); // a bug: it costs this job and no other
            return new FailedJobEnd(held.Lease, JobFailures.InternalError(exception));
        }
    }

    /// <summary>
    /// Null if the claim was lost. An output is given up only when storing it has failed twice in the same way; then a failure is stored
    /// in its place, which needs less, and what was computed stays as a checkpoint for whoever sends the job again.
    /// </summary>
    private async Task<JobOutcome?> EndAsync(JobClaim claim, ClaimResult.Claimed claimed, HeldJob held, JobEnd end)
    {
        Exception? earlier = null;
        for (var failures = 0; ; failures++)
        {
            try
            {
                return await StoreAsync(claim, claimed, end);
            }
            catch (Exception exception) when (exception is not OperationCanceledException && failures < MostStoreFailures)
            {
                logger.EndRefused(claim.JobId, exception);
                if (IsSame(exception, earlier) || failures == MostStoreFailures - 1)
                {
                    await TrySaveCheckpointsAsync(held);
                    end = new FailedJobEnd(end.Lease, JobFailures.InternalError(exception)) { KeepsCheckpoints = true };
                    failures = MostStoreFailures - 1; // one try is left, for this
                }

                earlier = exception;
            }
        }
    }

    private static bool IsSame(Exception one, Exception? other) => one.GetType() == other?.GetType() && one.Message == other.Message;

    private async Task<JobOutcome?> StoreAsync(JobClaim claim, ClaimResult.Claimed claimed, JobEnd end)
    {
        using var span = JobSpans.Start("store");
        if (await patience.RunAsync(() => store.StoreAsync(end, heldJobs.Abandoned), heldJobs.HandBack) is not { } stored)
        {
            NoteLoss(claim.JobId);
            return null;
        }

        return new JobOutcome.Ended(StoredJob.From(claim, claimed, end, stored), IsNew: true) { CompletedBatch = stored.CompletedBatch };
    }

    private void NoteLoss(Guid jobId)
    {
        PipelineMeter.AddLostLease();
        logger.ClaimLost(jobId);
    }

    /// <summary>Null if it is another worker's anyway.</summary>
    private async Task<JobOutcome?> GiveBackAsync(HeldJob held)
    {
        if (held.IsLost)
        {
            NoteLoss(held.Lease.JobId);
            return null;
        }

        await TrySaveCheckpointsAsync(held);
        await TryReleaseAsync(held.Lease);
        return new JobOutcome.HandedBack();
    }

    private async Task TrySaveCheckpointsAsync(HeldJob held)
    {
        try
        {
            await checkpoints.SaveAsync(held, heldJobs.Abandoned);
        }
        catch (Exception exception) when (exception is DatabaseUnavailableException or OperationCanceledException)
        {
            // Whoever gets it goes on from an earlier one, or begins again.
        }
    }

    private async Task TryReleaseAsync(JobLease lease)
    {
        try
        {
            await patience.TryAsync(() => store.ReleaseAsync(lease, CancellationToken.None)); // changes nothing if the end was stored
        }
        catch (DatabaseUnavailableException)
        {
            // The claim runs out by itself.
        }
    }
}
