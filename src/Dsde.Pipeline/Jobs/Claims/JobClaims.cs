using Dsde.Contracts;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Jobs.Run;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Jobs.Claims;

/// <summary>What a job looks like to the database.</summary>
internal sealed class JobClaims(WorkerIdentity identity, WorkerOptions options)
{
    /// <summary>The wish to run a job.</summary>
    /// <param name="job">The job; of a refused one the ids.</param>
    /// <param name="refusal">Why it is not to be run; null if it is.</param>
    public JobClaim Create(SubmitGenerationJob job, JobRefusal? refusal)
    {
        var (request, hash) = CanonicalRequest.Write(job);
        return new JobClaim
        {
            JobId = job.JobId,
            BatchId = job.BatchId,
            BatchJobCount = job.BatchJobCount is >= 1 ? job.BatchJobCount : null, // another one is refused, but claimed to say so
            CustomId = job.CustomId,
            Request = options.StorePrompts ? request : CanonicalRequest.WriteWithoutPrompt(job),
            RequestHash = refusal?.BodyHash ?? hash,
            Model = job.Model,
            Workload = job.Metadata?.GetValueOrDefault("workload"),
            TraceParent = JobSpans.TraceParent,
            WorkerId = identity.WorkerId,
            Lease = TimeSpan.FromSeconds(options.LeaseSeconds),
        };
    }
}
