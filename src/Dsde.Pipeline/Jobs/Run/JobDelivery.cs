using Dsde.Contracts;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Jobs.Run;

/// <summary>A job as it came from its queue.</summary>
/// <param name="Job">The job; of a refused one the ids.</param>
/// <param name="Lane">How it came.</param>
/// <param name="Refusal">Why it is not to be run; null if it is.</param>
internal sealed record JobDelivery(SubmitGenerationJob Job, JobLane Lane, JobRefusal? Refusal = null)
{
    /// <summary>When it was sent, by the sender's clock; null if the message doesn't say.</summary>
    public DateTimeOffset? SubmittedAt { get; init; }

    /// <summary>The wish to run it, as the database wants it.</summary>
    /// <param name="worker">Who wants to.</param>
    /// <param name="options">How long a claim holds, and what may be stored.</param>
    public JobClaim ToClaim(WorkerIdentity worker, WorkerOptions options)
    {
        var (request, hash) = CanonicalRequest.Write(Job);
        return new JobClaim
        {
            JobId = Job.JobId,
            BatchId = Job.BatchId,
            BatchJobCount = Job.BatchJobCount is >= 1 ? Job.BatchJobCount : null, // another one is refused, but claimed to say so
            CustomId = Job.CustomId,
            Request = options.StorePrompts ? request : CanonicalRequest.WriteWithoutPrompt(Job),
            RequestHash = Refusal?.BodyHash ?? hash,
            Model = Job.Model,
            Workload = Job.Metadata?.GetValueOrDefault("workload"),
            TraceParent = JobSpans.TraceParent,
            WorkerId = worker.WorkerId,
            WorkerStartId = worker.StartId,
            SubmittedAt = SubmittedAt,
            LeaseToken = Guid.NewGuid(),
            Lease = TimeSpan.FromSeconds(options.LeaseSeconds),
        };
    }
}
