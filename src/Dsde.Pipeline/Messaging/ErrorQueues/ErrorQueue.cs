namespace Dsde.Pipeline.Messaging.ErrorQueues;

/// <summary>A queue of messages that wait for an operator.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Exchange">The exchange of the job queue that its messages were in, and go back to.</param>
internal sealed record ErrorQueue(string Name, string Exchange)
{
    /// <summary>All there are. Most are made with their first message.</summary>
    public static IReadOnlyList<ErrorQueue> All { get; } =
    [
        .. new[] { Lane.Bulk, Lane.High }.SelectMany(lane =>
            new[] { new ErrorQueue(lane.ErrorQueue, lane.Queue), new ErrorQueue(lane.DeadLetterQueue, lane.Queue) }
        ),
    ];
}
