using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Jobs.Held;

/// <summary>
/// The way into the engine: any number of jobs at once, or one that runs alone. In order of arrival: while one waits to be alone, those
/// inside finish and nobody new enters.
/// </summary>
internal sealed class EngineGate
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Waiter> _waiting = new();
    private int _inside;
    private bool _isTakenAlone;

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
    /// <param name="alone">Whether nobody may be inside at the same time.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    public ValueTask<IDisposable> EnterAsync(bool alone, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        LinkedListNode<Waiter> node;
        lock (_lock)
        {
            if (_waiting.Count == 0 && CanEnter_NeedsLock(alone))
            {
                return new ValueTask<IDisposable>(Enter_NeedsLock(alone));
            }

            node = _waiting.AddLast(new Waiter(alone));
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

    private void Leave()
    {
        lock (_lock)
        {
            _inside--;
            _isTakenAlone = false;
            LetIn_NeedsLock();
        }
    }

    private void LetIn_NeedsLock()
    {
        while (_waiting.First is { } first && CanEnter_NeedsLock(first.Value.Alone))
        {
            _waiting.RemoveFirst();
            first.Value.Entered.SetResult(Enter_NeedsLock(first.Value.Alone));
        }
    }

    private bool CanEnter_NeedsLock(bool alone) => alone ? _inside == 0 : !_isTakenAlone;

    private Pass Enter_NeedsLock(bool alone)
    {
        _inside++;
        _isTakenAlone = alone;
        return new Pass(this);
    }

    private sealed record Waiter(bool Alone)
    {
        public TaskCompletionSource<IDisposable> Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class Pass(EngineGate gate) : IDisposable
    {
        private EngineGate? _gate = gate;

        public void Dispose() => Interlocked.Exchange(ref _gate, null)?.Leave();
    }
}
