using System.Collections.Concurrent;
using System.Diagnostics;
using System.Threading.Channels;

namespace Dsde.Persistence.Storage;

/// <summary>
/// Group commit: what arrives while a transaction is being written shares the next one. A group that fails is written one by one, so that a
/// bad item fails alone. One that waited too long for something is, too, beside the next groups, so that nobody else waits for what a
/// single item needs; that item stays outside of groups until it is written.
/// </summary>
internal sealed class GroupCommit<TItem, TResult> : IAsyncDisposable
{
    /// <summary>How long disposal goes on writing.</summary>
    public static readonly TimeSpan DisposalPatience = TimeSpan.FromSeconds(10);

    private const int LargestGroup = 256;
    private const int MostAlone = 8;

    private readonly Channel<Pending> _pending = Channel.CreateUnbounded<Pending>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource _stopped = new();
    private readonly SemaphoreSlim _alonePermits = new(MostAlone);
    private readonly ConcurrentDictionary<Guid, bool> _slow = new();
    private readonly ConcurrentDictionary<Pending, Task> _alone = new();
    private readonly GroupCommitOptions<TItem, TResult> _options;
    private readonly TimeProvider _time;
    private readonly Task _loop;

    public GroupCommit(GroupCommitOptions<TItem, TResult> options, TimeProvider time)
    {
        (_options, _time) = (options, time);
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Returns when the item is committed, which it will be also if the caller stops waiting.</summary>
    public async Task<TResult> WriteAsync(TItem item, CancellationToken cancellationToken)
    {
        var pending = new Pending(item);
        if (_slow.ContainsKey(_options.KeyOf(item)))
        {
            ObjectDisposedException.ThrowIf(_stopped.IsCancellationRequested, this);
            WriteAlone(pending);
        }
        else
        {
            ObjectDisposedException.ThrowIf(!_pending.Writer.TryWrite(pending), this);
        }

        await using var registration = cancellationToken.Register(() => pending.Done.TrySetCanceled(cancellationToken));
        return await pending.Done.Task;
    }

    /// <summary>Writes what is left, as long as that is possible in <see cref="DisposalPatience"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        _pending.Writer.TryComplete();
        using (var limit = new CancellationTokenSource(DisposalPatience, _time))
        await using (limit.Token.Register(_stopped.Cancel))
        {
            await _loop;
            await Task.WhenAll(_alone.Values);
        }

        await _stopped.CancelAsync();
        _stopped.Dispose();
        _alonePermits.Dispose();
    }

    private async Task RunAsync()
    {
        var group = new List<Pending>();
        while (await _pending.Reader.WaitToReadAsync())
        {
            var size = 0L;
            while (group.Count < LargestGroup && size < _options.LargestSize && _pending.Reader.TryRead(out var pending))
            {
                group.Add(pending);
                size += _options.SizeOf(pending.Item);
            }

            switch (await TryWriteAsync(group))
            {
                case Outcome.Bad:
                    foreach (var pending in group)
                    {
                        await TryWriteAsync([pending]);
                    }

                    break;
                case Outcome.Slow:
                    group.ForEach(WriteAlone);
                    break;
            }

            group.Clear();
        }
    }

    /// <summary>Begins to write an item in a transaction of its own, beside everything else.</summary>
    private void WriteAlone(Pending pending)
    {
        var begin = new TaskCompletionSource();
        _alone[pending] = RunAsync();
        begin.SetResult();

        async Task RunAsync()
        {
            await begin.Task.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            await _alonePermits.WaitAsync();
            try
            {
                await TryWriteAsync([pending]);
            }
            finally
            {
                _alonePermits.Release();
                _alone.TryRemove(pending, out _);
            }
        }
    }

    private async Task<Outcome> TryWriteAsync(IReadOnlyList<Pending> group)
    {
        Activity.Current = group[0].Caller; // spans of statements have one parent, however many they are for
        try
        {
            var results = await _options.Write([.. group.Select(pending => pending.Item)], _stopped.Token);
            foreach (var (pending, result) in group.Zip(results))
            {
                _slow.TryRemove(_options.KeyOf(pending.Item), out _);
                if (!pending.Done.TrySetResult(result) && _options.Abandon is { } abandon)
                {
                    await abandon(result);
                }
            }

            return Outcome.Done;
        }
        catch (Exception) when (_stopped.IsCancellationRequested)
        {
            return Fail(group, new ObjectDisposedException(GetType().Name, "There was no more time to write to the database."));
        }
        catch (DatabaseUnavailableException exception) when (!exception.IsSlow || group.Count == 1)
        {
            if (exception.IsSlow)
            {
                _slow.TryAdd(_options.KeyOf(group[0].Item), true);
            }

            return Fail(group, exception);
        }
        catch (DatabaseUnavailableException)
        {
            return Outcome.Slow;
        }
        catch (Exception exception) when (group.Count == 1)
        {
            _slow.TryRemove(_options.KeyOf(group[0].Item), out _);
            return Fail(group, exception);
        }
        catch (Exception)
        {
            return Outcome.Bad; // the exception is one item's, and will be told to its caller alone
        }
    }

    private static Outcome Fail(IReadOnlyList<Pending> group, Exception exception)
    {
        foreach (var pending in group)
        {
            pending.Done.TrySetException(exception);
        }

        return Outcome.Done;
    }

    private enum Outcome
    {
        Done,
        Bad,
        Slow,
    }

    private sealed class Pending(TItem item)
    {
        public TItem Item => item;

        /// <summary>The span that asked for it; null if none is recorded.</summary>
        public Activity? Caller { get; } = Activity.Current;

        public TaskCompletionSource<TResult> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
