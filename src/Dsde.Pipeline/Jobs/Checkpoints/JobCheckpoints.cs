using System.Diagnostics.CodeAnalysis;
using Dsde.Engine;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Jobs.Checkpoints;

/// <summary>The latest checkpoint of each output of a running job, and which of them are still to be saved. Any thread.</summary>
[SuppressMessage("Reliability", "CA1001", Justification = "Nobody asks the semaphore for a wait handle, so that there is nothing to free.")]
internal sealed class JobCheckpoints
{
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _saving = new(1);
    private Dictionary<int, SequenceCheckpoint>? _latest;
    private Dictionary<int, SequenceCheckpoint>? _unsaved;
    private bool _isQueued;
    private bool _isClosed;

    /// <summary>Whether there are any.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (_lock)
            {
                return _latest is not { Count: > 0 };
            }
        }
    }

    /// <summary>The latest of an output; null if it has none.</summary>
    public SequenceCheckpoint? Find(int choice)
    {
        lock (_lock)
        {
            return _latest?.GetValueOrDefault(choice);
        }
    }

    /// <summary>Takes one that came with the claim: it is saved already.</summary>
    public void Restore(int choice, SequenceCheckpoint checkpoint)
    {
        lock (_lock)
        {
            (_latest ??= [])[choice] = checkpoint;
        }
    }

    /// <summary>Drops one that can't be gone on from.</summary>
    public void Forget(int choice)
    {
        lock (_lock)
        {
            _latest?.Remove(choice);
            _unsaved?.Remove(choice);
        }
    }

    /// <summary>Takes a new one, in place of an earlier one of the same output.</summary>
    /// <returns>Whether the job has to be queued for saving: it has something to save and nobody knows yet.</returns>
    public bool Put(int choice, SequenceCheckpoint checkpoint)
    {
        lock (_lock)
        {
            (_latest ??= [])[choice] = checkpoint;
            (_unsaved ??= [])[choice] = checkpoint;
            var isNew = !_isQueued && !_isClosed;
            _isQueued = true;
            return isNew;
        }
    }

    /// <summary>Whoever saves what was queued is done, unless there is more by now.</summary>
    /// <param name="givesUp">Whether it is done in any case; the next one that is put is queued again.</param>
    /// <returns>Whether it is.</returns>
    public bool TryFinish(bool givesUp = false)
    {
        lock (_lock)
        {
            _isQueued = !givesUp && _unsaved is { Count: > 0 };
            return !_isQueued;
        }
    }

    /// <summary>
    /// Saves what is unsaved, one save after the other, so that an older one never replaces a newer one. What could not be saved is kept,
    /// unless there is a newer one.
    /// </summary>
    public async Task SaveAsync(Func<IReadOnlyDictionary<int, SequenceCheckpoint>, Task> save, CancellationToken cancellationToken)
    {
        await _saving.WaitAsync(cancellationToken);
        try
        {
            if (TakeUnsaved() is not { Count: > 0 } taken)
            {
                return;
            }

            try
            {
                await save(taken);
            }
            catch
            {
                PutBack(taken);
                throw;
            }
        }
        finally
        {
            _saving.Release();
        }
    }

    /// <summary>The job is over: nothing is saved any more.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            (_latest, _unsaved) = (null, null);
        }
    }

    private Dictionary<int, SequenceCheckpoint>? TakeUnsaved()
    {
        lock (_lock)
        {
            var taken = _unsaved;
            _unsaved = null;
            return taken;
        }
    }

    private void PutBack(Dictionary<int, SequenceCheckpoint> taken)
    {
        lock (_lock)
        {
            if (_isClosed)
            {
                return;
            }

            foreach (var (choice, checkpoint) in taken)
            {
                (_unsaved ??= []).TryAdd(choice, checkpoint);
            }
        }
    }
}
