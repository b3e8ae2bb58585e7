using System.Collections.Concurrent;
using Dsde.Engine;

namespace Dsde.Worker.Jobs;

/// <summary>The jobs this worker runs now, so that they can be cancelled one by one, or, when the time to drain is up, handed back all.</summary>
internal sealed class RunningJobs : IDisposable
{
    private readonly ConcurrentDictionary<Guid, GenerationControl> _jobs = new();
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
}
