using Dsde.Contracts;
using Dsde.Pipeline.Jobs.Run;

namespace Dsde.Pipeline.Messaging;

/// <summary>
/// A queue of jobs of a model. There are several, because quorum queues know no priorities in most brokers: what waits in one lane can't
/// hold up the others.
/// </summary>
/// <param name="Model">Alias of the model.</param>
/// <param name="Kind">What it is to the jobs: any but <see cref="JobLane.Unrouted"/>.</param>
internal sealed record Lane(string Model, JobLane Kind)
{
    private const string Prefix = QueueNames.GenerationJobs + ".";

    /// <summary>What binds the queue to the exchange of all models' jobs.</summary>
    public string RoutingKey =>
        Kind == JobLane.Resumed ? Model + QueueNames.ResumedSuffix : QueueNames.RoutingKey(Model, Kind == JobLane.High);

    /// <summary>Its name; an exchange that leads to it has the same.</summary>
    public string Queue => QueueNames.Queue(RoutingKey);

    /// <summary>All lanes of a model: jobs that can wait, jobs that overtake, and jobs that were begun elsewhere.</summary>
    public static IReadOnlyList<Lane> AllOf(string model) =>
        [new(model, JobLane.Bulk), new(model, JobLane.High), new(model, JobLane.Resumed)];

    /// <summary>The lane a job belongs to, if its model has a name that any worker can serve.</summary>
    public static Lane Of(SubmitGenerationJob job) => new(job.Model, job.Priority > 0 ? JobLane.High : JobLane.Bulk);

    /// <summary>The lane that a routing key is for, whether there is such a queue or not; null if it can be for none.</summary>
    public static Lane? FindByKey(string routingKey)
    {
        var lane =
            Without(QueueNames.HighSuffix) is { } high ? new Lane(high, JobLane.High)
            : Without(QueueNames.ResumedSuffix) is { } resumed ? new Lane(resumed, JobLane.Resumed)
            : new Lane(routingKey, JobLane.Bulk);
        return ModelAlias.IsValid(lane.Model) ? lane : null;

        string? Without(string suffix) => routingKey.EndsWith(suffix, StringComparison.Ordinal) ? routingKey[..^suffix.Length] : null;
    }

    /// <summary>The lane that a queue is; null if it is none.</summary>
    public static Lane? FindByQueue(string queue) =>
        queue.StartsWith(Prefix, StringComparison.Ordinal) ? FindByKey(queue[Prefix.Length..]) : null;
}
