namespace Dsde.Contracts;

/// <summary>
/// Names of exchanges and queues of the pipeline. Those of a model have a dot after <see cref="GenerationJobs"/>, those for all models a
/// hyphen or an underscore, so that no alias of a model can clash with them.
/// </summary>
public static class QueueNames
{
    /// <summary>
    /// The exchange that takes <see cref="SubmitGenerationJob"/>. A routing key says which queue of which model a job is for
    /// (<see cref="RoutingKey"/>); what has none, or one that no queue is bound by, goes to <see cref="UnroutedGenerationJobs"/>.
    /// </summary>
    public const string GenerationJobs = "dsde-generation-jobs";

    /// <summary>The exchange behind it, of type <c>direct</c>, to which the queues of models are bound by their routing keys.</summary>
    public const string ModelGenerationJobs = "dsde-generation-jobs-models";

    /// <summary>Jobs that no routing key has brought to a model's queue. Workers route them by their bodies.</summary>
    public const string UnroutedGenerationJobs = "dsde-generation-jobs-unrouted";

    /// <summary>Jobs for models that no worker has ever served, until one does or their time is over. Nobody consumes it.</summary>
    public const string ParkedGenerationJobs = "dsde-generation-jobs-parked";

    /// <summary>
    /// Where messages of jobs that another worker holds wait for some seconds; the broker passes them on to the queue of their model for
    /// resumed jobs. Nobody consumes it.
    /// </summary>
    public const string HeldGenerationJobs = "dsde-generation-jobs-held";

    /// <summary>Messages that can't be read, or that an operator may want to send again.</summary>
    public const string FailedGenerationJobs = "dsde-generation-jobs_error";

    /// <summary>Messages that came back too often, or whose time to live ran out.</summary>
    public const string DeadGenerationJobs = "dsde-generation-jobs-dead";

    /// <summary>End of the names of queues, and of routing keys, of jobs that overtake others.</summary>
    public const string HighSuffix = ".high";

    /// <summary>End of the names of queues, and of routing keys, of jobs that were begun and have waited for another worker's
    /// claim.</summary>
    public const string ResumedSuffix = ".resumed";

    /// <summary>The routing key by which a sender puts a job straight into a queue of its model.</summary>
    /// <param name="model">Alias of the model.</param>
    /// <param name="isHigh">Whether it is to overtake jobs of the same model that wait in the other queue, without stopping them.</param>
    public static string RoutingKey(string model, bool isHigh) => isHigh ? model + HighSuffix : model;

    /// <summary>The queue that a routing key leads to.</summary>
    /// <param name="routingKey">As <see cref="RoutingKey"/> makes it.</param>
    public static string Queue(string routingKey) => $"{GenerationJobs}.{routingKey}";
}
