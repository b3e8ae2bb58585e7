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
    /// <param name="job">The job; of a refused one the ids.</param>
    /// <param name="refusal">Why it is not to be run; null if it is.</param>
    public async Task<JobOutcome> RunAsync(SubmitGenerationJob job, JobRefusal? refusal = null)
    {
        var (request, hash) = CanonicalRequest.Write(job);
        var claim = new JobClaim
        {
            JobId = job.JobId,
            BatchId = job.BatchId,
            CustomId = job.CustomId,
            Request = request,
            RequestHash = refusal?.BodyHash ?? hash,
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
                        if (await RunClaimedAsync(job, refusal, claim, claimed) is { } ended)
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
    private async Task<JobOutcome?> RunClaimedAsync(SubmitGenerationJob job, JobRefusal? refusal, JobClaim claim, ClaimResult.Claimed claimed)
    {
        using var held = running.Hold(claimed.Lease, job.BatchId);
        try
        {
            if (await FindEndAsync(job, refusal, claimed) is not { } end)
            {
                await TryReleaseAsync(claimed.Lease);
                return new JobOutcome.HandedBack();
            }

            if (await WhileDatabaseAwayAsync(token => store.StoreAsync(end, token)) is not { } stored)
            {
                logger.ClaimLost(job.JobId);
                return null;
            }

            return new JobOutcome.Ended(StoredJob.From(claim, claimed, end, stored), IsNew: true);
        }
        catch (OperationCanceledException) when (running.HandBack.IsCancellationRequested)
        {
            await TryReleaseAsync(claimed.Lease); // changes nothing if the end was stored after all
            throw;
        }
    }

    /// <summary>Null if the job has not ended and somebody else has to go on with it.</summary>
    private async Task<JobEnd?> FindEndAsync(SubmitGenerationJob job, JobRefusal? refusal, ClaimResult.Claimed claimed)
    {
        if (claimed.IsCancelRequested)
        {
            return new CancelledJobEnd(claimed.Lease, "cancelled", [], []);
        }

        if (refusal is not null)
        {
            return new FailedJobEnd(claimed.Lease, refusal.Failure);
        }

        if (job.ExpiresAt <= time.GetUtcNow())
        {
            return new CancelledJobEnd(claimed.Lease, "expired", [], []);
        }

        if (claimed.Attempt > options.MaxAttempts)
        {
            return new FailedJobEnd(claimed.Lease, new JobFailure(
                FailureCodes.EngineError, $"The job was started {claimed.Attempt - 1} times and never came to an end; it is given up.", Retryable: false));
        }

        try
        {
            var request = validator.Validate(job);
            return ToEnd(job, claimed.Lease, request, await GenerateAsync(job.JobId, request, job.ChoiceCount ?? 1));
        }
        catch (JobRejectedException rejected)
        {
            return new FailedJobEnd(claimed.Lease, rejected.Failure);
        }
        catch (EngineFailureException failure)
        {
            return new FailedJobEnd(claimed.Lease, new JobFailure(FailureCodes.EngineError, failure.Message, Retryable: true));
        }
        catch (OperationCanceledException) when (!running.HandBack.IsCancellationRequested)
        {
            return null; // the engine was shut down, which says nothing about the job
        }
    }

    private JobEnd? ToEnd(SubmitGenerationJob job, JobLease lease, GenerationRequest request, GenerationResult[] results)
    {
        if (results.Any(result => result.FinishReason == FinishReason.Suspended))
        {
            return null;
        }

        JobOutput[] outputs = [.. results.Select(result => TraceConversion.ToJobOutput(result, request, job.ReturnTokenIds == true, job.ReturnLogProbabilities == true))];
        JobTrace[] traces = [.. results.Select(result => TraceConversion.ToJobTrace(result, request, engine.Description))];
        var isBegun = results.Any(result => result.TokenIds.Count > 0);
        return results.FirstOrDefault(result => result.FinishReason is FinishReason.Cancelled or FinishReason.Expired)?.FinishReason switch
        {
            FinishReason.Cancelled => new CancelledJobEnd(lease, "cancelled", isBegun ? outputs : [], isBegun ? traces : []),
            FinishReason.Expired => new CancelledJobEnd(lease, "expired", isBegun ? outputs : [], isBegun ? traces : []),
            _ => new CompletedJobEnd(lease, outputs, traces),
        };
    }

    /// <summary>All outputs of a job, together; each has a seed of its own. If one fails for good, so does the job, and the others are called off.</summary>
    private async Task<GenerationResult[]> GenerateAsync(Guid jobId, GenerationRequest request, int choiceCount)
    {
        using var runningJob = running.Add(jobId);
        request = request with { Control = runningJob.Control };
        return await Task.WhenAll(Enumerable.Range(0, choiceCount).Select(choice => GenerateChoiceAsync(
            jobId, request with { Sampling = request.Sampling with { Seed = ChoiceSeeds.Of(request.Sampling.Seed, choice) } }, runningJob.Control)));
    }

    private async Task<GenerationResult> GenerateChoiceAsync(Guid jobId, GenerationRequest request, GenerationControl control)
    {
        for (var retry = 0; ; retry++)
        {
            try
            {
                return await engine.GenerateAsync(request, running.HandBack);
            }
            catch (EngineFailureException failure) when (retry < options.EngineRetries)
            {
                logger.EngineRetried(jobId, retry + 1, failure);
            }
            catch
            {
                control.Cancel();
                throw;
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

    private async Task TryReleaseAsync(JobLease lease)
    {
        try
        {
            await store.ReleaseAsync(lease, CancellationToken.None);
        }
        catch (DatabaseUnavailableException exception)
        {
            logger.DatabaseAway(exception.Message); // the claim runs out by itself
        }
    }

    private static TimeSpan Clamp(TimeSpan pause) => pause < ShortestHeldPause ? ShortestHeldPause : pause > LongestHeldPause ? LongestHeldPause : pause;
}
