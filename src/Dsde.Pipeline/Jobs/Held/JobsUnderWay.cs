using System.Collections.Concurrent;
using Dsde.Contracts;
using Dsde.Pipeline.Jobs.Ends;
using Dsde.Pipeline.Jobs.Run;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Jobs.Held;

/// <summary>
/// The jobs of this process between delivery and end. A job outlives its delivery: when the broker takes a delivery back (acknowledgement
/// timeout, lost connection) the consumer has to let go at once, or its endpoint stays without a consumer until the job has ended; the work
/// goes on. The message comes again, finds its job here and waits for the same end.
/// </summary>
/// <param name="metrics">Count ends.</param>
/// <param name="endedJobs">Remember them.</param>
/// <param name="slotsPerLane">Jobs of a lane at once. Deliveries alone don't bound them, as lost ones leave their jobs behind.</param>
internal sealed class JobsUnderWay(WorkerMetrics metrics, EndedJobs endedJobs, int slotsPerLane)
{
    private readonly ConcurrentDictionary<Guid, Work> _works = new();
    private readonly Dictionary<JobLane, SemaphoreSlim> _slots = Enum.GetValues<JobLane>()
        .ToDictionary(lane => lane, _ => new SemaphoreSlim(slotsPerLane));

    /// <summary>Runs a job, or joins the same job if it runs already.</summary>
    /// <param name="delivery">The job, and how it came.</param>
    /// <param name="run">Runs it.</param>
    /// <param name="deliveryLost">Ends the waiting, not the work.</param>
    /// <exception cref="OperationCanceledException">The delivery was lost.</exception>
    public async Task<JobOutcome> RunAsync(JobDelivery delivery, Func<JobDelivery, Task<JobOutcome>> run, CancellationToken deliveryLost)
    {
        if (_works.GetValueOrDefault(delivery.Job.JobId) is { } earlier && earlier.IsOf(delivery.Job))
        {
            return await earlier.Outcome.Task.WaitAsync(deliveryLost);
        }

        var slots = _slots[delivery.Lane];
        await slots.WaitAsync(deliveryLost);
        var work = new Work(delivery.Job);
        var known = _works.GetOrAdd(delivery.Job.JobId, work);
        if (known != work && known.IsOf(delivery.Job)) // the same came at the same moment
        {
            slots.Release();
            return await known.Outcome.Task.WaitAsync(deliveryLost);
        }

        _ = RunAsync(work, delivery, run, slots);
        return await work.Outcome.Task.WaitAsync(deliveryLost);
    }

    private async Task RunAsync(Work work, JobDelivery delivery, Func<JobDelivery, Task<JobOutcome>> run, SemaphoreSlim slots)
    {
        try
        {
            var outcome = await run(delivery);
            if (outcome is JobOutcome.Ended ended)
            {
                metrics.JobEnded(ended, delivery);
                if (ended.IsNew)
                {
                    endedJobs.Add(ended.Job);
                }
            }

            Forget();
            work.Outcome.SetResult(outcome);
        }
        catch (Exception exception)
        {
            Forget();
            work.Outcome.SetException(exception); // for whoever waits; without a delivery nobody does, and the next one runs it again
            _ = work.Outcome.Task.Exception;
        }
        finally
        {
            slots.Release();
        }

        // Before anybody learns of the end: what comes again after it must not find it here.
        void Forget() => _works.TryRemove(new KeyValuePair<Guid, Work>(work.Job.JobId, work));
    }

    private sealed class Work(SubmitGenerationJob job)
    {
        public SubmitGenerationJob Job => job;

        public TaskCompletionSource<JobOutcome> Outcome { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsOf(SubmitGenerationJob other) =>
            CanonicalRequest.Write(job).Hash.AsSpan().SequenceEqual(CanonicalRequest.Write(other).Hash);
    }
}
