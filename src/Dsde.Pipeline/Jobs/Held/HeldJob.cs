using System.Diagnostics.CodeAnalysis;
using Dsde.Engine;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Jobs.Checkpoints;

namespace Dsde.Pipeline.Jobs.Held;

/// <summary>
/// A claimed job while this worker has it, whether it waits or runs. What happens to it from outside is told here, on any thread: being
/// cancelled, handed back, taken over.
/// </summary>
[SuppressMessage(
    "Usage",
    "CA2213",
    Justification = "The sources have no timer and no wait handle to free, and may be told something at any time."
)]
internal sealed class HeldJob(HeldJobs owner, JobLease lease, Guid? batchId, DateTimeOffset since) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<GenerationControl> _controls = [];
    private readonly CancellationTokenSource _interrupted = new();
    private readonly CancellationTokenSource _abandoned = new();
    private volatile bool _isLost;
    private volatile bool _isCancelRequested;
    private volatile bool _isHandedBack;

    /// <summary>Proves that the job is this worker's.</summary>
    public JobLease Lease => lease;

    /// <summary>Its batch, if any.</summary>
    public Guid? BatchId => batchId;

    /// <summary>When it was claimed.</summary>
    public DateTimeOffset Since => since;

    /// <summary>What is known of its outputs while the engine has them; empty before.</summary>
    public IReadOnlyList<GenerationProgress> Progress
    {
        get
        {
            lock (_lock)
            {
                return [.. _controls.Select(control => control.Progress)];
            }
        }
    }

    /// <summary>Where its outputs can be gone on from.</summary>
    public JobCheckpoints Checkpoints { get; } = new();

    /// <summary>Whether it is another worker's by now, so that its work is for nothing.</summary>
    public bool IsLost => _isLost;

    /// <summary>Whether it is to end with what there is.</summary>
    public bool IsCancelRequested => _isCancelRequested;

    /// <summary>Cancelled when any of these has happened: who waits for something stops waiting.</summary>
    public CancellationToken Interrupted => _interrupted.Token;

    /// <summary>Cancelled when what the engine does for it is for nothing, or has to stop at once.</summary>
    public CancellationToken Abandoned => _abandoned.Token;

    /// <summary>
    /// What let it into the engine; null before. Given back when this worker does not have it any more, and not before: until its end is
    /// stored it is lost with the worker, and would be blamed for what the next one inside does to that.
    /// </summary>
    public IDisposable? Pass { get; set; }

    /// <summary>A handle on one of its outputs, which is told what the job is told.</summary>
    public GenerationControl AddOutput(int checkpointInterval, Action<SequenceCheckpoint>? checkpointed)
    {
        var control = new GenerationControl { CheckpointInterval = checkpointInterval, Checkpointed = checkpointed };
        lock (_lock)
        {
            _controls.Add(control);
        }

        if (_isCancelRequested)
        {
            control.Cancel();
        }

        if (_isHandedBack)
        {
            control.Suspend();
        }

        return control;
    }

    /// <summary>Ends it with what there is.</summary>
    public void Cancel()
    {
        _isCancelRequested = true;
        StopOutputs();
        _interrupted.Cancel();
    }

    /// <summary>Ends its outputs; what becomes of the job is decided elsewhere.</summary>
    public void StopOutputs() => Tell(control => control.Cancel());

    /// <summary>Stops it where it is, to be continued by whoever gets it next.</summary>
    public void HandBack()
    {
        _isHandedBack = true;
        Tell(control => control.Suspend());
        _interrupted.Cancel();
    }

    /// <summary>Another worker has it now.</summary>
    public void Lose()
    {
        _isLost = true;
        _interrupted.Cancel();
        _abandoned.Cancel();
    }

    /// <summary>There is no more time, not even to stop in good order.</summary>
    public void Abandon() => _abandoned.Cancel();

    /// <summary>This worker does not have it any more.</summary>
    public void Dispose()
    {
        owner.Remove(this);
        Checkpoints.Close();
        Pass?.Dispose();
    }

    private void Tell(Action<GenerationControl> what)
    {
        lock (_lock)
        {
            _controls.ForEach(what);
        }
    }
}
