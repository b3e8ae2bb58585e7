using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Jobs.Held;

/// <summary>
/// The way into the engine: any number of jobs at once, or as many as the job bears that is the least sociable of those inside. In order of
/// arrival: while one waits for others to leave, those inside finish and nobody new enters.
/// </summary>
internal sealed class EngineGate
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Waiter> _waiting = new();
    private readonly List<int> _limits = []; // of those inside

    /// <summary>Jobs that wait.</summary>
    public int WaitingCount
    {
        get
        {
            lock (_lock)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>Enters, when it is time; disposing the pass leaves.</summary>
    /// <param name="mostInside">How many may be inside while it is, itself included; null for any number.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    public ValueTask<IDisposable> EnterAsync(int? mostInside, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var limit = mostInside ?? int.MaxValue;
        LinkedListNode<Waiter> node;
        lock (_lock)
        {
            if (_waiting.Count == 0 && CanEnter_NeedsLock(limit))
            {
                return new ValueTask<IDisposable>(Enter_NeedsLock(limit));
            }

            node = _waiting.AddLast(new Waiter(limit));
        }

        return WaitAsync(node, cancellationToken);
    }

    private async ValueTask<IDisposable> WaitAsync(LinkedListNode<Waiter> node, CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.Register(() => GiveUp(node, cancellationToken));
        return await node.Value.Entered.Task;
    }

    private void GiveUp(LinkedListNode<Waiter> node, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (node.List is null)
            {
                return; // it has just been let in
            }

            _waiting.Remove(node);
            LetIn_NeedsLock();
        }

        node.Value.Entered.TrySetCanceled(cancellationToken);
    }

    private void Leave(int limit)
    {
        lock (_lock)
        {
            _limits.Remove(limit);
            LetIn_NeedsLock();
        }
    }

    private void LetIn_NeedsLock()
    {
        while (_waiting.First is { } first && CanEnter_NeedsLock(first.Value.Limit))
        {
            _waiting.RemoveFirst();
            first.Value.Entered.SetResult(Enter_NeedsLock(first.Value.Limit));
        }
    }

    private bool CanEnter_NeedsLock(int limit) => _limits.Count < limit && _limits.TrueForAll(other => _limits.Count < other);

    private Pass Enter_NeedsLock(int limit)
    {
        _limits.Add(limit);
        return new Pass(this, limit);
    }

    private sealed record Waiter(int Limit)
    {
        public TaskCompletionSource<IDisposable> Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class Pass(EngineGate gate, int limit) : IDisposable
    {
        private EngineGate? _gate = gate;

        public void Dispose() => Interlocked.Exchange(ref _gate, null)?.Leave(limit);
    }
}
