using System.Collections.Concurrent;
using Dsde.Contracts;
using Dsde.Pipeline.Telemetry;
using MassTransit;

namespace Dsde.Benchmarks.Pipeline;

/// <summary>
/// Counts the jobs of a batch that a worker's consumers are through with: stored and announced, and about to be acknowledged. Each once,
/// and no others: a busy broker may not get to the last acknowledgements of a worker that stops right after its last job, and then delivers
/// those messages to the next.
/// </summary>
/// <param name="batchId">The batch.</param>
/// <param name="expected">How many there will be.</param>
internal sealed class EndCounter(Guid batchId, int expected) : IConsumeObserver
{
    private readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<Guid, bool> _seen = new();
    private int _count;

    /// <summary>Ends when as many as expected have ended.</summary>
    public Task All => _all.Task;

    /// <summary>So far.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <inheritdoc/>
    public Task PreConsume<T>(ConsumeContext<T> context)
        where T : class => Task.CompletedTask;

    /// <inheritdoc/>
    public Task PostConsume<T>(ConsumeContext<T> context)
        where T : class
    {
        if (
            context.Message is SubmitGenerationJob job
            && job.BatchId == batchId
            && _seen.TryAdd(job.JobId, true)
            && Interlocked.Increment(ref _count) == expected
        )
        {
            _all.TrySetResult();
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task ConsumeFault<T>(ConsumeContext<T> context, Exception exception)
        where T : class => Task.CompletedTask;
}
