using Dsde.Contracts;
using Dsde.Pipeline.Jobs.Run;
using Dsde.Pipeline.Messaging.ErrorQueues;

namespace Dsde.Pipeline.Messaging;

/// <summary>
/// A queue of jobs. There are several, because quorum queues know no priorities in most brokers: what waits in one lane can't hold up
/// the others.
/// </summary>
/// <param name="Queue">Its name; the exchange that leads to it has the same.</param>
/// <param name="Kind">What it is to the jobs.</param>
internal sealed record Lane(string Queue, JobLane Kind)
{
    /// <summary>
    /// Deliveries of a message before it is dead-lettered. What counts the starts of a job is the database; this one only stops a message
    /// that never gets so far. RabbitMQ 4 would stop at 20, which a long job uses up by acknowledgement timeouts and restarts of workers,
    /// and brokers before that not at all. The number must be positive for RabbitMQ 3.
    /// </summary>
    public const int DeliveryLimit = 1000;

    /// <summary>Jobs that can wait.</summary>
    public static readonly Lane Bulk = new(QueueNames.GenerationJobs, JobLane.Bulk);

    /// <summary>Jobs that overtake.</summary>
    public static readonly Lane High = new(QueueNames.HighPriorityGenerationJobs, JobLane.High);

    /// <summary>Jobs that were begun elsewhere and have waited for the claim of their worker, who may be dead.</summary>
    public static readonly Lane Resumed = new(QueueNames.ResumedGenerationJobs, JobLane.Resumed);

    /// <summary>All that are consumed.</summary>
    public static IReadOnlyList<Lane> All { get; } = [Bulk, High, Resumed];

    /// <summary>Where messages go that came back too often. What was resumed is the bulk lane's again.</summary>
    public string DeadLetterQueue => (Kind == JobLane.Resumed ? Bulk.Queue : Queue) + "-dead";

    /// <summary>Where messages go that can't be read, or that an operator may want to send again.</summary>
    public string ErrorQueue => (Kind == JobLane.Resumed ? Bulk.Queue : Queue) + "_error";

    /// <summary>
    /// Where jobs are sent over RabbitMQ: the exchange of the queue, so that no sender declares the queue with other arguments.
    /// </summary>
    public Uri RabbitMqAddress => new($"exchange:{Queue}");

    /// <summary>The lane a submitter puts a job in.</summary>
    public static Lane Of(SubmitGenerationJob job) => job.Priority > 0 ? High : Bulk;

    /// <summary>The lane a message came by.</summary>
    public static Lane At(Uri inputAddress) =>
        All.FirstOrDefault(lane => inputAddress.AbsolutePath.EndsWith('/' + lane.Queue, StringComparison.Ordinal)) ?? Bulk;

    /// <summary>Arguments of the queue: replicated, and nothing is dropped without a trace.</summary>
    public Dictionary<string, object?> QueueArguments(RabbitMqOptions options)
    {
        var arguments = new Dictionary<string, object?>
        {
            ["x-queue-type"] = "quorum",
            ["x-dead-letter-exchange"] = DeadLetterQueue,
            ["x-delivery-limit"] = DeliveryLimit,
        };
        if (options.AcknowledgementTimeoutMinutes > 0)
        {
            arguments["x-consumer-timeout"] = options.AcknowledgementTimeoutMinutes * 60_000;
        }

        return arguments;
    }
}
