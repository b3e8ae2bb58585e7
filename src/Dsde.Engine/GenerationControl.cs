namespace Dsde.Engine;

/// <summary>
/// A handle on a request that waits or runs: its owner keeps it, gives it along with the request, and uses it from any thread. What it asks
/// for happens between two iterations, and the request then ends with what there is; the cancellation token of
/// <see cref="IGenerationEngine.GenerateAsync"/> abandons it by exception instead.
/// </summary>
public sealed class GenerationControl
{
    private readonly Lock _lock = new();
    private GenerationProgress _progress;
    private volatile bool _cancelled;
    private volatile bool _suspended;

    /// <summary>Committed tokens between two checkpoints; 0 for none.</summary>
    /// <value>The default is 0.</value>
    public int CheckpointInterval { get; init; }

    /// <summary>
    /// Takes the checkpoints, on the engine's thread and between two iterations: it must return at once, and hand on what takes time. An
    /// exception fails the request and nothing else.
    /// </summary>
    public Action<SequenceCheckpoint>? Checkpointed { get; init; }

    /// <summary>How far the request is, as of the engine's latest round.</summary>
    public GenerationProgress Progress
    {
        get
        {
            lock (_lock)
            {
                return _progress;
            }
        }
    }

    /// <summary>Ends the request as <see cref="FinishReason.Cancelled"/>.</summary>
    public void Cancel() => _cancelled = true;

    /// <summary>
    /// Ends the request as <see cref="FinishReason.Suspended"/>, with a checkpoint to go on from. Cancelling beats suspending.
    /// </summary>
    public void Suspend() => _suspended = true;

    /// <summary>What has been asked for; null for nothing.</summary>
    public FinishReason? Asked =>
        _cancelled ? FinishReason.Cancelled
        : _suspended ? FinishReason.Suspended
        : null;

    /// <summary>Says how far it is.</summary>
    internal void Report(in GenerationProgress progress)
    {
        lock (_lock)
        {
            _progress = progress;
        }
    }
}
