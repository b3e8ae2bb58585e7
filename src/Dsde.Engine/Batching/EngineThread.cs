using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Dsde.Engine.Loading;
using Dsde.Engine.Sequences;
using Microsoft.Extensions.Logging;
using static TorchSharp.torch;

namespace Dsde.Engine.Batching;

/// <summary>
/// The thread that owns the tensors. It runs rounds while there is something to do and waits for arrivals when there is not. After a failed
/// round everything goes back to the queue and half as many run at once; only a request that was alone when it failed fails
/// (<see cref="DecodingLoop.Retreat"/>). Should even clearing up fail, or every request fail alone, the thread ends, and says so to
/// everybody who waits or comes later.
/// </summary>
[SuppressMessage(
    "Reliability",
    "CA1001",
    Justification = "The source of Broken has no timer and no wait handle to free, and is registered with at any time."
)]
internal sealed class EngineThread
{
    private readonly DecodingLoop _loop;
    private readonly Channel<Sequence> _arrivals;
    private readonly Action _prepare;
    private readonly Action _release;
    private readonly ILogger _logger;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _prepared = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _broken = new();
    private volatile EngineFailureException? _failure;
    private volatile bool _stopping;

    /// <param name="loop">What is run.</param>
    /// <param name="arrivals">Its writer is completed to let the thread end; the thread does it when it breaks down.</param>
    /// <param name="prepare">What is done on the thread before its first round.</param>
    /// <param name="release">Frees what the thread owns; called on the thread, last of all.</param>
    /// <param name="logger">Where failures go.</param>
    public EngineThread(DecodingLoop loop, Channel<Sequence> arrivals, Action prepare, Action release, ILogger logger)
    {
        _loop = loop;
        _arrivals = arrivals;
        _prepare = prepare;
        _release = release;
        _logger = logger;
        new Thread(Run) { Name = "dsde-engine", IsBackground = true }.Start();
    }

    /// <summary>Ends when the thread has, however that came about.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Ends when the thread is prepared for work, or has given up.</summary>
    public Task Prepared => _prepared.Task;

    /// <summary>Cancelled when the thread can't go on; <see cref="Failure"/> says why.</summary>
    public CancellationToken Broken => _broken.Token;

    /// <summary>What every request fails with once the thread has broken down; null as long as it has not.</summary>
    public EngineFailureException? Failure => _failure;

    /// <summary>
    /// Asks the thread to give up what it has between two rounds, and to end. The writer of the arrivals must be completed as well.
    /// </summary>
    public void Stop() => _stopping = true;

    private void Run()
    {
        using (var mode = inference_mode())
        {
            try
            {
                _prepare();
                _prepared.SetResult();
                while (!_stopping && (!_loop.IsIdle || WaitForArrival()))
                {
                    RunRound();
                }

                _loop.Abandon(sequence => sequence.Completion.TrySetCanceled());
            }
            catch (Exception exception)
            {
                BreakDown(exception);
            }

            try
            {
                _release();
            }
            catch (Exception exception)
            {
                BreakDown(exception);
            }
        }

        _prepared.TrySetResult();
        _ended.SetResult();
    }

    /// <summary>Requests are told by themselves: what the loop knows of them can't be trusted any more.</summary>
    private void BreakDown(Exception exception)
    {
        _failure ??= new EngineFailureException("The engine has broken down and must be started again: " + exception.Message, exception);
        _arrivals.Writer.TryComplete();
        _ = _broken.CancelAsync(); // not here: who listens may throw, or take its time
        _logger.BrokenDown(exception);
    }

    private bool WaitForArrival() => _arrivals.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult();

    private void RunRound()
    {
        try
        {
            _loop.Step();
        }
        catch (Exception exception)
        {
            if (AllocationFailure.Is(exception))
            {
                _logger.OutOfMemory(exception.Message);
            }
            else
            {
                _logger.RoundFailed(exception);
            }

            _loop.Retreat(exception);
        }
    }
}
