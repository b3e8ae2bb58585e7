using Dsde.Contracts;
using Dsde.Engine;
using Dsde.Persistence;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Jobs.Checkpoints;
using Dsde.Pipeline.Jobs.Ends;
using Dsde.Pipeline.Jobs.Held;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Resilience;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Jobs.Run;

/// <summary>Brings a claimed job to its end, whatever that is.</summary>
internal sealed class JobAttempt(
    IJobStore store,
    IGenerationEngine engine,
    JobValidator validator,
    OutputGenerator generator,
    EngineGate gate,
    DatabasePatience patience,
    WorkerOptions options,
    TimeProvider time,
    ILogger<JobAttempt> logger
)
{
    /// <summary>
    /// What a job of a lane that overtakes is worth in the engine's waiting queue beyond its own priority: it is preferred to one of the
    /// bulk lane that has waited up to this many times <see cref="EngineOptions.PriorityAgeingSeconds"/> longer, and to no other, so that
    /// the bulk lane never starves.
    /// </summary>
    public const int HighLaneLevels = 10;

    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(40);

    /// <summary>The end; null if there is none here, because the job is another worker's by now, or has to go back to the queue.</summary>
    /// <exception cref="OperationCanceledException">The same, while something was awaited.</exception>
    public async Task<JobEnd?> RunAsync(JobDelivery delivery, HeldJob held, ClaimResult.Claimed claimed)
    {
        var job = delivery.Job;
        Restore(held, claimed.Checkpoints);
        if (claimed.IsCancelRequested)
        {
            held.Cancel();
        }

        try
        {
            return await TryCutAsync(job, held)
                ?? (
                    delivery.Refusal is { } refusal ? new FailedJobEnd(held.Lease, refusal.Failure)
                    : claimed.LostAlone >= options.LostStartsAlone
                        ? new FailedJobEnd(held.Lease, JobFailures.WorkerLost(claimed.LostStarts, claimed.LostAlone))
                    : await GenerateEndAsync(job, held, claimed, delivery.Lane)
                );
        }
        catch (JobRejectedException rejected)
        {
            return new FailedJobEnd(held.Lease, rejected.Failure);
        }
        catch (EngineFailureException) when (engine.BrokenDown.IsCancellationRequested)
        {
            return null; // which says nothing about the job: the next worker can run it
        }
        catch (EngineFailureException failure)
        {
            return new FailedJobEnd(held.Lease, JobFailures.EngineError(failure));
        }
        catch (OperationCanceledException) when (!held.IsLost && ReasonToCut(job, held) is not null)
        {
            return await TryCutAsync(job, held);
        }
        catch (OperationCanceledException)
        {
            return null; // another worker's, to be handed back, or the engine was shut down
        }
    }

    private async Task<JobEnd?> GenerateEndAsync(SubmitGenerationJob job, HeldJob held, ClaimResult.Claimed claimed, JobLane lane)
    {
        var mostInside = Suspicion.MostInside(claimed.LostStarts, options.LostStartsBeforeNarrowing, engine.Description.BatchSize);
        var entering = EnterAsync(job, held, mostInside).AsTask();
        var isMarkedInside = claimed.Place == JobPlace.Inside && entering.IsCompleted;
        var leaving = claimed.Place == JobPlace.Inside && !isMarkedInside ? TryMarkAsync(held, JobPlace.Outside) : Task.FromResult(true);
        held.Pass = await entering;
        await leaving; // what is said last counts
        if (mostInside is { } most)
        {
            logger.RunsBesideFew(held.Lease.JobId, claimed.LostStarts, most);
            var place = most == 1 ? JobPlace.Alone : JobPlace.Inside;
            if (!await patience.RunAsync(() => store.MarkAsync(held.Lease, place, held.Abandoned), held.Interrupted))
            {
                held.Lose();
                return null;
            }
        }
        else if (!isMarkedInside && !await TryMarkAsync(held, JobPlace.Inside))
        {
            held.Lose();
            return null;
        }

        if (await TryCutAsync(job, held) is { } early)
        {
            return early;
        }

        GenerationRequest[] requests =
        [
            .. validator.Validate(job).Select(request => request with { Priority = Raise(request.Priority, lane) }),
        ];
        var results = await GenerateAsync(held, requests);
        var level = ReplaySampling.Takes(job.JobId, options.ReplaySampling) ? TraceLevel.Replay : options.TelemetryLevel;
        if (level == TraceLevel.Replay && engine.Description.Draft is not null)
        {
            results = await generator.SurveyAsync(held, requests, results);
        }

        return EndConversion.Create(job, held.Lease, requests, results, engine, level);
    }

    /// <summary>False if the job is no longer this worker's; without the database nobody knows, and the job goes on.</summary>
    private async Task<bool> TryMarkAsync(HeldJob held, JobPlace place)
    {
        try
        {
            return await patience.TryAsync(() => store.MarkAsync(held.Lease, place, held.Interrupted));
        }
        catch (DatabaseUnavailableException)
        {
            return true;
        }
        catch (OperationCanceledException)
        {
            return true; // whoever waits for more is told the same
        }
    }

    /// <summary>Waits no longer than the deadline.</summary>
    private async ValueTask<IDisposable> EnterAsync(SubmitGenerationJob job, HeldJob held, int? mostInside)
    {
        if (job.ExpiresAt is not { } deadline)
        {
            return await gate.EnterAsync(mostInside, held.Interrupted);
        }

        var rest = deadline - time.GetUtcNow();
        // It may have passed just now.
        using var expiry = new CancellationTokenSource(TimeSpan.FromTicks(Math.Clamp(rest.Ticks, 0, LongestTimer.Ticks)), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(held.Interrupted, expiry.Token);
        return await gate.EnterAsync(mostInside, either.Token);
    }

    private static int Raise(int priority, JobLane lane) =>
        lane == JobLane.Bulk ? priority : (int)Math.Min(int.MaxValue, (long)priority + HighLaneLevels);

    private async Task<GenerationResult[]> GenerateAsync(HeldJob held, GenerationRequest[] requests)
    {
        GenerationResult[] results;
        var earlier = requests.Select((_, choice) => held.Checkpoints.Find(choice)?.Trace).ToArray();
        try
        {
            results = await generator.GenerateAsync(held, requests);
        }
        catch (ArgumentException exception) when (exception.GetType() == typeof(ArgumentException))
        {
            // The engine's own check: no second try changes it.
            throw new JobRejectedException(FailureCodes.InvalidRequest, exception.Message);
        }

        foreach (var (choice, result) in results.Index())
        {
            JobSpans.AddPhases(
                result.Trace,
                result.Trace.Times.TotalMs >= earlier[choice]?.Times.TotalMs ? earlier[choice] : null, // not if it began again
                choice,
                time.GetUtcNow()
            );
            SpeculationMeter.Record(result.Trace);
            if (result.Checkpoint is { TokenIds.Length: > 0 } checkpoint)
            {
                held.Checkpoints.Put(choice, checkpoint);
            }
        }

        return results;
    }

    /// <summary>The end of a job that is to be cut, with the text of its checkpoints; null if it isn't.</summary>
    private async Task<JobEnd?> TryCutAsync(SubmitGenerationJob job, HeldJob held)
    {
        if (ReasonToCut(job, held) is not { } reason)
        {
            return null;
        }

        if (!held.Checkpoints.IsEmpty)
        {
            try
            {
                var requests = validator.Validate(job);
                var results = await generator.ReadCheckpointsAsync(
                    held,
                    requests,
                    reason == EndConversion.Expired ? FinishReason.Expired : FinishReason.Cancelled
                );
                return EndConversion.CreateCut(job, held.Lease, requests, results, reason, engine, options.TelemetryLevel);
            }
            catch (Exception exception) when (exception is JobRejectedException or ArgumentException or EngineFailureException)
            {
                logger.CheckpointRefused(held.Lease.JobId, 0, exception.Message); // it ends all the same, without a text
            }
        }

        return new CancelledJobEnd(held.Lease, reason, [], []);
    }

    private string? ReasonToCut(SubmitGenerationJob job, HeldJob held) =>
        held.IsCancelRequested ? EndConversion.Cancelled
        : job.ExpiresAt <= time.GetUtcNow() ? EndConversion.Expired
        : null;

    private void Restore(HeldJob held, IReadOnlyList<JobCheckpoint> saved)
    {
        foreach (var checkpoint in saved)
        {
            if (CheckpointCodec.TryDecode(checkpoint.State, out var decoded))
            {
                held.Checkpoints.Restore(checkpoint.Choice, decoded);
            }
            else
            {
                logger.CheckpointUnreadable(held.Lease.JobId, checkpoint.Choice);
            }
        }
    }
}
