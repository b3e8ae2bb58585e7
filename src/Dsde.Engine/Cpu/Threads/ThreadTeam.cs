using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace Dsde.Engine.Cpu.Threads;

/// <summary>
/// Threads that share the items of a piece of work with the thread that brings it. A decoder has a hundred such pieces in a few
/// milliseconds, so workers look for the next one for a short while before they block; items are taken one by one, so that a worker which
/// wakes late or loses its core delays nobody but by the item it holds. One thread at a time brings work.
/// </summary>
internal sealed class ThreadTeam : IDisposable
{
    /// <summary>
    /// How long a worker looks for work before it blocks: longer than what lies between two pieces of a forward pass, short against
    /// anything another process would notice.
    /// </summary>
    private static readonly long SpinTicks = Stopwatch.Frequency / 20_000; // 50 µs

    private readonly Lock _startLock = new();
    private readonly SemaphoreSlim _wake = new(0);
    private Thread[]? _workers;
    private ITeamWork? _work;
    private Exception? _failure;
    private int _itemCount;
    private int _nextItem;
    private int _isOpen; // 1 while items of the present work may be taken
    private int _inside; // workers that may be taking items
    private int _generation; // counts pieces of work
    private int _blocked; // workers waiting on the semaphore, or about to
    private volatile bool _isEnding;

    /// <summary>A team; its threads start with the first work that is shared.</summary>
    /// <param name="threadCount">Threads, the caller's included; at least 1.</param>
    public ThreadTeam(int threadCount)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threadCount, 1);
        ThreadCount = threadCount;
    }

    /// <summary>Threads, the caller's included.</summary>
    public int ThreadCount { get; }

    /// <summary>Does all items and returns when the last is done.</summary>
    /// <param name="work">The work.</param>
    /// <param name="itemCount">Items 0 to this, exclusive.</param>
    /// <param name="share">Whether the work is worth waking other threads for.</param>
    public void Run(ITeamWork work, int itemCount, bool share = true)
    {
        if (!share || ThreadCount == 1 || itemCount < 2)
        {
            for (var item = 0; item < itemCount; item++)
            {
                work.Run(item);
            }

            return;
        }

        StartWorkers();
        Open(work, itemCount);
        TakeItems();
        Close();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _isEnding = true;
        if (_workers is { } workers)
        {
            _wake.Release(workers.Length);
            foreach (var worker in workers)
            {
                worker.Join();
            }
        }

        _wake.Dispose();
    }

    private void StartWorkers()
    {
        if (_workers is not null)
        {
            return;
        }

        lock (_startLock)
        {
            _workers = new Thread[ThreadCount - 1];
            for (var i = 0; i < _workers.Length; i++)
            {
                _workers[i] = new Thread(Work) { IsBackground = true, Name = $"dsde-ops-{i + 1}" };
                _workers[i].Start();
            }
        }
    }

    private void Open(ITeamWork work, int itemCount)
    {
        _work = work;
        _itemCount = itemCount;
        _nextItem = 0;
        _generation++;
        Interlocked.Exchange(ref _isOpen, 1); // everything above is visible to whoever sees this
        var blocked = Volatile.Read(ref _blocked);
        if (blocked > 0)
        {
            _wake.Release(blocked);
        }
    }

    /// <summary>
    /// Once closed no worker enters, and one that is inside has announced itself: both sides write, fence, then read the other's word.
    /// </summary>
    private void Close()
    {
        Interlocked.Exchange(ref _isOpen, 0);
        var spinner = default(SpinWait);
        while (Volatile.Read(ref _inside) > 0)
        {
            if (spinner.NextSpinWillYield)
            {
                Thread.Yield();
            }
            else
            {
                spinner.SpinOnce(sleep1Threshold: -1);
            }
        }

        _work = null;
        if (Interlocked.Exchange(ref _failure, null) is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }

    private void TakeItems()
    {
        for (int item; (item = Interlocked.Increment(ref _nextItem) - 1) < _itemCount; )
        {
            try
            {
                _work!.Run(item); // set before the work was opened
            }
            catch (Exception exception)
            {
                // Not lost: whoever brought the work gets it, once the other items are done.
                Interlocked.CompareExchange(ref _failure, exception, null);
            }
        }
    }

    private void Work()
    {
        var seen = 0;
        while (!_isEnding)
        {
            Interlocked.Increment(ref _inside);
            if (Volatile.Read(ref _isOpen) == 1 && _generation != seen)
            {
                seen = _generation;
                TakeItems();
            }

            Interlocked.Decrement(ref _inside);
            AwaitWork(seen);
        }
    }

    private void AwaitWork(int seen)
    {
        var end = Stopwatch.GetTimestamp() + SpinTicks;
        while (!HasNewWork(seen) && Stopwatch.GetTimestamp() < end)
        {
            Thread.SpinWait(1);
        }

        if (HasNewWork(seen))
        {
            return;
        }

        Interlocked.Increment(ref _blocked);
        if (!HasNewWork(seen)) // work opened before the line above did not see this worker
        {
            _wake.Wait();
        }

        Interlocked.Decrement(ref _blocked);
    }

    private bool HasNewWork(int seen) => _isEnding || (Volatile.Read(ref _isOpen) == 1 && Volatile.Read(ref _generation) != seen);
}
