using MassTransit;

namespace Dsde.Pipeline.Messaging;

/// <summary>What becomes of a message whose job another worker has claimed.</summary>
internal interface IWaitingPlace
{
    /// <summary>Messages that wait for another worker's claim, as far as is known; of all workers.</summary>
    int WaitingCount { get; }

    /// <summary>Puts the message away, or waits.</summary>
    /// <param name="jobId">The job.</param>
    /// <param name="lane">The lane that it came by; null if it was not routed yet.</param>
    /// <param name="message">Its message.</param>
    /// <param name="deliveryLost">Ends the waiting.</param>
    /// <returns>
    /// Whether it is somewhere else by now, so that the delivery can be acknowledged; otherwise its job is to be looked at again.
    /// </returns>
    /// <exception cref="OperationCanceledException">The delivery is lost.</exception>
    Task<bool> PutAwayAsync(Guid jobId, Lane? lane, ReceiveContext message, CancellationToken deliveryLost);

    /// <summary>Finds out how many wait.</summary>
    Task CountAsync(CancellationToken cancellationToken);
}

/// <summary>In memory, where a message has no other place to wait in than its delivery.</summary>
internal sealed class WaitInProcess(TimeProvider time) : IWaitingPlace
{
    private int _waiting;

    /// <inheritdoc/>
    public int WaitingCount => _waiting;

    /// <inheritdoc/>
    public async Task<bool> PutAwayAsync(Guid jobId, Lane? lane, ReceiveContext message, CancellationToken deliveryLost)
    {
        Interlocked.Increment(ref _waiting);
        try
        {
            await Task.Delay(WaitingQueue.Wait, time, deliveryLost);
            return false;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <inheritdoc/>
    public Task CountAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
