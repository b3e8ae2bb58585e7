using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Jobs.Held;

/// <summary>
/// The jobs this worker has claimed, so that their leases are renewed, and they can be cancelled one by one or, when the time to drain is
/// up, handed back all.
/// </summary>
[SuppressMessage(
    "Design",
    "CA1001",
    Justification = "The sources have no timer and no wait handle to free. Deliveries may come while the program ends, after its "
        + "services are gone."
)]
internal sealed class HeldJobs(TimeProvider time)
{
    private const int RememberedCancellations = 10_000;

    // Longer than a claim takes: what is cancelled while it is being claimed is found here. Later claims find it in the database.
    private static readonly TimeSpan CancellationMemory = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<Guid, HeldJob> _jobs = new();
    private readonly RecentIds _cancelledJobs = new(time, CancellationMemory, RememberedCancellations);
    private readonly RecentIds _cancelledBatches = new(time, CancellationMemory, RememberedCancellations);
    private readonly CancellationTokenSource _handBack = new();
    private readonly CancellationTokenSource _abandoned = new();

    /// <summary>Cancelled when what still waits or runs is to be handed back to the queue.</summary>
    public CancellationToken HandBack => _handBack.Token;

    /// <summary>Cancelled when even that has taken too long.</summary>
    public CancellationToken Abandoned => _abandoned.Token;

    /// <summary>Jobs claimed now.</summary>
    public int Count => _jobs.Count;

    /// <summary>All of them, those that were claimed first before others.</summary>
    public IReadOnlyList<HeldJob> All => [.. _jobs.Values.OrderBy(job => job.Since)];

    /// <summary>Their leases.</summary>
    public IReadOnlyList<JobLease> Leases => [.. _jobs.Values.Select(job => job.Lease)];

    /// <summary>Notes a claimed job; disposing it ends the note. An earlier claim of the same job must have run out.</summary>
    public HeldJob Add(JobLease lease, Guid? batchId)
    {
        var job = new HeldJob(this, lease, batchId, time.GetUtcNow());
        _jobs.AddOrUpdate(
            lease.JobId,
            job,
            (_, earlier) =>
            {
                earlier.Lose();
                return job;
            }
        );

        // Noted first, looked at afterwards; whoever cancels does it the other way round.
        if (_cancelledJobs.Contains(lease.JobId) || (batchId is { } batch && _cancelledBatches.Contains(batch)))
        {
            job.Cancel();
        }

        if (_handBack.IsCancellationRequested)
        {
            job.HandBack();
        }

        if (_abandoned.IsCancellationRequested)
        {
            job.Abandon();
        }

        return job;
    }

    /// <summary>A job that is claimed here; null if it isn't.</summary>
    public HeldJob? Find(Guid jobId) => _jobs.GetValueOrDefault(jobId);

    /// <summary>Cancels a job if it is here, or is just about to be.</summary>
    public void CancelJob(Guid jobId)
    {
        _cancelledJobs.Add(jobId);
        Find(jobId)?.Cancel();
    }

    /// <summary>Cancels the jobs of a batch that are here, or are just about to be.</summary>
    public void CancelBatch(Guid batchId)
    {
        _cancelledBatches.Add(batchId);
        foreach (var job in _jobs.Values.Where(job => job.BatchId == batchId))
        {
            job.Cancel();
        }
    }

    /// <summary>Tells a job what was learned about its lease, unless it has another one by now.</summary>
    public void Tell(JobLease lease, LeaseNoticeKind kind)
    {
        if (Find(lease.JobId) is not { } job || job.Lease != lease)
        {
            return;
        }

        if (kind == LeaseNoticeKind.Lost)
        {
            job.Lose();
        }
        else
        {
            job.Cancel();
        }
    }

    /// <summary>Stops everything that waits or runs, to be handed back.</summary>
    public void HandBackAll()
    {
        _handBack.Cancel();
        foreach (var job in _jobs.Values)
        {
            job.HandBack();
        }
    }

    /// <summary>Gives up what did not stop in time.</summary>
    public void AbandonAll()
    {
        _abandoned.Cancel();
        foreach (var job in _jobs.Values)
        {
            job.Abandon();
        }
    }

    /// <summary>Ends the note of a job.</summary>
    public void Remove(HeldJob job) => _jobs.TryRemove(new KeyValuePair<Guid, HeldJob>(job.Lease.JobId, job));
}
