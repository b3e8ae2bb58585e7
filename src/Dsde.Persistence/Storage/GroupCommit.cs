using System.Threading.Channels;

namespace Dsde.Persistence.Storage;

/// <summary>
/// Group commit: what arrives while a transaction is being written shares the next one. A group that fails is written one by one, so that a
/// bad item fails alone.
/// </summary>
internal sealed class GroupCommit<TItem, TResult> : IAsyncDisposable
{
    private const int LargestGroup = 256;

    private readonly Channel<Pending> _pending = Channel.CreateUnbounded<Pending>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Func<IReadOnlyList<TItem>, Task<IReadOnlyList<TResult>>> _write;
    private readonly Func<TResult, Task>? _abandon;
    private readonly Task _loop;

    /// <param name="write">Writes a group in one transaction; gives a result per item, in the same order. May be called again with what it
    /// has written before.</param>
    /// <param name="abandon">Called with a result that its caller no longer waits for, and throws nothing; null if nothing is to be
    /// done.</param>
    public GroupCommit(Func<IReadOnlyList<TItem>, Task<IReadOnlyList<TResult>>> write, Func<TResult, Task>? abandon = null)
    {
        _write = write;
        _abandon = abandon;
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Returns when the item is committed, which it will be also if the caller stops waiting.</summary>
    public async Task<TResult> WriteAsync(TItem item, CancellationToken cancellationToken)
    {
        var pending = new Pending(item);
        ObjectDisposedException.ThrowIf(!_pending.Writer.TryWrite(pending), this);
        await using var registration = cancellationToken.Register(() => pending.Done.TrySetCanceled(cancellationToken));
        return await pending.Done.Task;
    }

    /// <summary>Writes what is left.</summary>
    public async ValueTask DisposeAsync()
    {
        _pending.Writer.TryComplete();
        await _loop;
    }

    private async Task RunAsync()
    {
        var group = new List<Pending>();
        while (await _pending.Reader.WaitToReadAsync())
        {
            while (group.Count < LargestGroup && _pending.Reader.TryRead(out var pending))
            {
                group.Add(pending);
            }

            if (!await TryWriteAsync(group) && group.Count > 1)
            {
                foreach (var pending in group)
                {
                    await TryWriteAsync([pending]);
                }
            }

            group.Clear();
        }
    }

    /// <summary>False if the items are to be tried one by one.</summary>
    private async Task<bool> TryWriteAsync(IReadOnlyList<Pending> group)
    {
        try
        {
            var results = await _write([.. group.Select(pending => pending.Item)]);
            foreach (var (pending, result) in group.Zip(results))
            {
                if (!pending.Done.TrySetResult(result) && _abandon is not null)
                {
                    await _abandon(result);
                }
            }

            return true;
        }
        catch (Exception exception) when (group.Count == 1 || exception is DatabaseUnavailableException)
        {
            foreach (var pending in group)
            {
                pending.Done.TrySetException(exception);
            }

            return true;
        }
        catch (Exception)
        {
            return false; // the exception is one item's, and will be told to its caller alone
        }
    }

    private sealed record Pending(TItem Item)
    {
        public TaskCompletionSource<TResult> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
