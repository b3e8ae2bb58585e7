using System.Collections.Concurrent;
using Dsde.Engine;
using Dsde.Persistence.Jobs;

namespace Dsde.Worker.Jobs;

/// <summary>The jobs this worker runs now, so that they can be cancelled one by one, or, when the time to drain is up, handed back all.</summary>
internal sealed class RunningJobs : IDisposable
{
    private readonly ConcurrentDictionary<Guid, GenerationControl> _jobs = new();
    private readonly ConcurrentDictionary<JobLease, Guid?> _held = new();
    private readonly CancellationTokenSource _handBack = new();

    public RunningJobs() => HandBack = _handBack.Token;

    /// <summary>Cancelled when what still runs is to be handed back to the queue.</summary>
    public CancellationToken HandBack { get; }

    /// <summary>Jobs running now.</summary>
    public int Count => _jobs.Count;

    /// <summary>Notes a job; disposing the result ends the note.</summary>
    public RunningJob Add(Guid jobId)
    {
        var control = new GenerationControl();
        _jobs[jobId] = control;
        return new RunningJob(this, jobId, control);
    }

    /// <summary>Cancels a job if it runs here; it ends with what there is.</summary>
    public void Cancel(Guid jobId)
    {
        if (_jobs.TryGetValue(jobId, out var control))
        {
            control.Cancel();
        }
    }

    /// <summary>Leases to be renewed.</summary>
    public IReadOnlyList<JobLease> Held => [.. _held.Keys];

    /// <summary>Notes a lease, to be renewed until the result is disposed.</summary>
    public IDisposable Hold(JobLease lease, Guid? batchId)
    {
        _held[lease] = batchId;
        return new HeldLease(this, lease);
    }

    /// <summary>Cancels the jobs of a batch that run here.</summary>
    public void CancelBatch(Guid batchId)
    {
        foreach (var (lease, _) in _held.Where(held => held.Value == batchId))
        {
            Cancel(lease.JobId);
        }
    }

    /// <summary>Stops everything that runs, to be handed back.</summary>
    public void HandBackAll() => _handBack.Cancel();

    public void Dispose() => _handBack.Dispose();

    /// <summary>A job while it runs.</summary>
    internal sealed class RunningJob(RunningJobs owner, Guid jobId, GenerationControl control) : IDisposable
    {
        /// <summary>Ends its outputs.</summary>
        public GenerationControl Control => control;

        public void Dispose() => owner._jobs.TryRemove(new KeyValuePair<Guid, GenerationControl>(jobId, control));
    }

    private sealed class HeldLease(RunningJobs owner, JobLease lease) : IDisposable
    {
        public void Dispose() => owner._held.TryRemove(lease, out _);
    }
}
