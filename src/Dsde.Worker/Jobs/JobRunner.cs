using Dsde.Contracts;
using Dsde.Engine;
using Dsde.Engine.Sampling;
using Dsde.Persistence;
using Dsde.Persistence.Jobs;
using Dsde.Worker.Hosting;
using Dsde.Worker.Telemetry;

namespace Dsde.Worker.Jobs;

/// <summary>
/// The life of a job between delivery and acknowledgement: claim, check, generate, store. While the database is away it waits, which keeps further
/// jobs in the broker; nothing is lost and nothing is retried to death.
/// </summary>
internal sealed class JobRunner(
    IJobStore store, IGenerationEngine engine, JobValidator validator, RunningJobs running, WorkerIdentity identity, WorkerOptions options, TimeProvider time, ILogger<JobRunner> logger)
{
    private static readonly TimeSpan DatabasePause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestHeldPause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ShortestHeldPause = TimeSpan.FromMilliseconds(250);

    /// <summary>Runs a job to its end, or finds the end it had.</summary>
    public async Task<JobOutcome> RunAsync(SubmitGenerationJob job)
    {
        var (request, hash) = CanonicalRequest.Write(job);
        var claim = new JobClaim
        {
            JobId = job.JobId,
            BatchId = job.BatchId,
            CustomId = job.CustomId,
            Request = request,
            RequestHash = hash,
            Model = job.Model,
            Workload = job.Metadata?.GetValueOrDefault("workload"),
            WorkerId = identity.WorkerId,
            Lease = TimeSpan.FromSeconds(options.LeaseSeconds),
        };
        try
        {
            while (true)
            {
                switch (await WhileDatabaseAwayAsync(token => store.ClaimAsync(claim, token)))
                {
                    case ClaimResult.Claimed claimed:
                        if (await RunClaimedAsync(job, claimed) is { } ended)
                        {
                            return ended;
                        }

                        break;
                    case ClaimResult.Ended earlier:
                        return new JobOutcome.Ended(earlier.Job, IsNew: false);
                    case ClaimResult.Conflict:
                        return new JobOutcome.Conflict(new JobFailure(
                            FailureCodes.JobIdConflict, $"Job id {job.JobId} was used before for another request, which keeps its result. Send this one under a new id.", Retryable: false));
                    case ClaimResult.Held held:
                        await Task.Delay(Clamp(held.Until - time.GetUtcNow()), time, running.HandBack);
                        break;
                }
            }
        }
        catch (OperationCanceledException) when (running.HandBack.IsCancellationRequested)
        {
            return new JobOutcome.HandedBack();
        }
    }

    /// <summary>Null if the claim was lost on the way: then someone else has ended or taken the job, and it is looked at again.</summary>
    private async Task<JobOutcome?> RunClaimedAsync(SubmitGenerationJob job, ClaimResult.Claimed claimed)
    {
        try
        {
            var end = await FindEndAsync(job, claimed);
            if (!await WhileDatabaseAwayAsync(token => store.StoreAsync(end, token)))
            {
                logger.ClaimLost(job.JobId);
                return null;
            }

            var stored = await WhileDatabaseAwayAsync(token => store.FindAsync([job.JobId], token));
            return new JobOutcome.Ended(stored[0], IsNew: true);
        }
        catch (OperationCanceledException) when (running.HandBack.IsCancellationRequested)
        {
            await TryReleaseAsync(job.JobId, claimed.LeaseToken); // changes nothing if the end was stored after all
            throw;
        }
    }

    private async Task<JobEnd> FindEndAsync(SubmitGenerationJob job, ClaimResult.Claimed claimed)
    {
        if (job.ExpiresAt <= time.GetUtcNow())
        {
            return new CancelledJobEnd(job.JobId, claimed.LeaseToken, "expired");
        }

        if (claimed.Attempt > options.MaxAttempts)
        {
            return new FailedJobEnd(job.JobId, claimed.LeaseToken, new JobFailure(
                FailureCodes.EngineError, $"The job was started {claimed.Attempt - 1} times and never came to an end; it is given up.", Retryable: false));
        }

        try
        {
            var request = validator.Validate(job);
            var results = await GenerateAsync(job.JobId, request, job.ChoiceCount ?? 1);
            if (results.Any(result => result.FinishReason is FinishReason.Cancelled or FinishReason.Expired))
            {
                var isExpired = results.Any(result => result.FinishReason == FinishReason.Expired);
                return new CancelledJobEnd(job.JobId, claimed.LeaseToken, isExpired ? "expired" : "cancelled");
            }

            return new CompletedJobEnd(
                job.JobId, claimed.LeaseToken,
                [.. results.Select(result => TraceConversion.ToJobOutput(result, request, job.ReturnTokenIds == true, job.ReturnLogProbabilities == true))],
                [.. results.Select(result => TraceConversion.ToJobTrace(result, request, engine.Description))]);
        }
        catch (JobRejectedException rejected)
        {
            return new FailedJobEnd(job.JobId, claimed.LeaseToken, rejected.Failure);
        }
        catch (EngineFailureException failure)
        {
            return new FailedJobEnd(job.JobId, claimed.LeaseToken, new JobFailure(FailureCodes.EngineError, failure.Message, Retryable: true));
        }
        catch (OperationCanceledException) when (!running.HandBack.IsCancellationRequested)
        {
            return new CancelledJobEnd(job.JobId, claimed.LeaseToken, "cancelled");
        }
    }

    /// <summary>All outputs of a job, together; each has a seed of its own. If one fails for good, so does the job, once the others have ended.</summary>
    private async Task<GenerationResult[]> GenerateAsync(Guid jobId, GenerationRequest request, int choiceCount)
    {
        using var runningJob = running.Add(jobId);
        return await Task.WhenAll(Enumerable.Range(0, choiceCount).Select(choice => GenerateAsync(
            jobId, request with { Sampling = request.Sampling with { Seed = ChoiceSeeds.Of(request.Sampling.Seed, choice) } }, runningJob.Token)));
    }

    private async Task<GenerationResult> GenerateAsync(Guid jobId, GenerationRequest request, CancellationToken cancellationToken)
    {
        for (var retry = 0; ; retry++)
        {
            try
            {
                return await engine.GenerateAsync(request, cancellationToken);
            }
            catch (EngineFailureException failure) when (retry < options.EngineRetries)
            {
                logger.EngineRetried(jobId, retry + 1, failure);
            }
        }
    }

    private async Task<T> WhileDatabaseAwayAsync<T>(Func<CancellationToken, Task<T>> work)
    {
        while (true)
        {
            try
            {
                return await work(running.HandBack);
            }
            catch (DatabaseUnavailableException exception)
            {
                logger.DatabaseAway(exception.Message);
                await Task.Delay(DatabasePause, time, running.HandBack);
            }
        }
    }

    private async Task TryReleaseAsync(Guid jobId, Guid leaseToken)
    {
        try
        {
            await store.ReleaseAsync(jobId, leaseToken, CancellationToken.None);
        }
        catch (DatabaseUnavailableException exception)
        {
            logger.DatabaseAway(exception.Message); // the claim runs out by itself
        }
    }

    private static TimeSpan Clamp(TimeSpan pause) => pause < ShortestHeldPause ? ShortestHeldPause : pause > LongestHeldPause ? LongestHeldPause : pause;
}
