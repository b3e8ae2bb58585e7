using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using static TorchSharp.torch;

namespace Dsde.Engine.Scheduling;

/// <summary>
/// The thread that owns the tensors. It runs rounds while there is something to do and waits for arrivals when there is not. A failed round
/// costs the requests that ran or waited, not the engine, and one that ran out of memory only a request that was alone.
/// </summary>
internal sealed class EngineThread
{
    private readonly DecodingLoop _loop;
    private readonly ChannelReader<Sequence> _arrivals;
    private readonly Action _release;
    private readonly ILogger _logger;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _stopping;

    /// <param name="loop">What is run.</param>
    /// <param name="arrivals">Completed to let the thread end.</param>
    /// <param name="release">Frees what the thread owns; called on the thread, last of all.</param>
    /// <param name="logger">Where failures go.</param>
    public EngineThread(DecodingLoop loop, ChannelReader<Sequence> arrivals, Action release, ILogger logger)
    {
        _loop = loop;
        _arrivals = arrivals;
        _release = release;
        _logger = logger;
        new Thread(Run) { Name = "dsde-engine", IsBackground = true }.Start();
    }

    /// <summary>Ends when the thread has.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Asks the thread to give up what it has between two rounds, and to end. The writer of the arrivals must be completed as well.</summary>
    public void Stop() => _stopping = true;

    private void Run()
    {
        try
        {
            using (var mode = inference_mode())
            {
                while (!_stopping && (!_loop.IsIdle || WaitForArrival()))
                {
                    RunRound();
                }

                _loop.Abandon(sequence => sequence.Completion.TrySetCanceled());
                _release();
            }

            _ended.SetResult();
        }
        catch (Exception exception)
        {
            _ended.SetException(exception);
        }
    }

    private bool WaitForArrival() => _arrivals.WaitToReadAsync().AsTask().GetAwaiter().GetResult();

    private void RunRound()
    {
        try
        {
            _loop.Step();
        }
        catch (Exception exception) when (AllocationFailure.Is(exception))
        {
            _logger.OutOfMemory(exception.Message);
            _loop.Retreat(sequence => sequence.Completion.TrySetException(new EngineFailureException(
                $"The device's memory does not hold the request, not even alone ({sequence.Length} tokens so far): {exception.Message}", exception)));
        }
        catch (Exception exception)
        {
            var count = 0;
            _loop.Abandon(sequence =>
            {
                count++;
                sequence.Completion.TrySetException(new EngineFailureException("The engine failed while the request ran: " + exception.Message, exception));
            });
            _logger.IterationFailed(count, exception);
        }
    }
}
