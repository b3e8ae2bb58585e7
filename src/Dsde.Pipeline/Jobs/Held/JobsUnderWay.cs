using System.Collections.Concurrent;
using Dsde.Contracts;
using Dsde.Pipeline.Jobs.Ends;
using Dsde.Pipeline.Jobs.Run;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Jobs.Held;

/// <summary>
/// The jobs of this process between delivery and end. A job outlives its delivery: when the broker takes a delivery back (acknowledgement
/// timeout, lost connection) the consumer has to let go at once, or its endpoint stays without a consumer until the job has ended; the work
/// goes on. The message comes again, finds its job here and waits for the same end.
/// </summary>
/// <param name="metrics">Count ends.</param>
/// <param name="slotsPerLane">Jobs of a lane at once. Deliveries alone don't bound them, as lost ones leave their jobs behind.</param>
internal sealed class JobsUnderWay(WorkerMetrics metrics, int slotsPerLane) : IDisposable
{
    private readonly ConcurrentDictionary<Guid, Work> _works = new();
    private readonly SemaphoreSlim _bulkSlots = new(slotsPerLane);
    private readonly SemaphoreSlim _highSlots = new(slotsPerLane);

    /// <summary>Runs a job, or joins the same job if it runs already.</summary>
    /// <param name="job">The job.</param>
    /// <param name="lane">The queue it came by.</param>
    /// <param name="run">Runs it.</param>
    /// <param name="deliveryLost">Ends the waiting, not the work.</param>
    /// <exception cref="OperationCanceledException">The delivery was lost.</exception>
    public async Task<JobOutcome> RunAsync(
        SubmitGenerationJob job,
        JobLane lane,
        Func<Task<JobOutcome>> run,
        CancellationToken deliveryLost
    )
    {
        if (_works.TryGetValue(job.JobId, out var earlier) && earlier.IsOf(job))
        {
            return await earlier.Outcome.Task.WaitAsync(deliveryLost);
        }

        var slots = lane == JobLane.High ? _highSlots : _bulkSlots;
        await slots.WaitAsync(deliveryLost);
        var work = new Work(job);
        _works.TryAdd(job.JobId, work); // of two at the same moment one stays unknown here, and waits by its claim
        _ = RunAsync(work, run, slots);
        return await work.Outcome.Task.WaitAsync(deliveryLost);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _bulkSlots.Dispose();
        _highSlots.Dispose();
    }

    private async Task RunAsync(Work work, Func<Task<JobOutcome>> run, SemaphoreSlim slots)
    {
        try
        {
            var outcome = await run();
            if (outcome is JobOutcome.Ended ended)
            {
                metrics.JobEnded(ended);
            }

            work.Outcome.SetResult(outcome);
        }
        catch (Exception exception)
        {
            work.Outcome.SetException(exception); // for whoever waits; without a delivery nobody does, and the next one runs it again
            _ = work.Outcome.Task.Exception;
        }
        finally
        {
            _works.TryRemove(new KeyValuePair<Guid, Work>(work.Job.JobId, work));
            slots.Release();
        }
    }

    private sealed class Work(SubmitGenerationJob job)
    {
        public SubmitGenerationJob Job => job;

        public TaskCompletionSource<JobOutcome> Outcome { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsOf(SubmitGenerationJob other) =>
            CanonicalRequest.Write(job).Hash.AsSpan().SequenceEqual(CanonicalRequest.Write(other).Hash);
    }
}
