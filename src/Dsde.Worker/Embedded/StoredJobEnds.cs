using Dsde.Batches.Files;
using Dsde.Persistence;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Jobs.Ends;

namespace Dsde.Worker.Embedded;

/// <summary>Ends of jobs from the database.</summary>
internal sealed class StoredJobEnds(IJobStore store) : IJobEnds
{
    /// <inheritdoc/>
    public async Task<IReadOnlyDictionary<Guid, object>> FindAsync(IReadOnlyList<Guid> jobIds, CancellationToken cancellationToken)
    {
        var jobs = await store.FindAsync(jobIds, cancellationToken);
        return jobs.Where(job => job.State is not (JobState.Queued or JobState.Running)).ToDictionary(job => job.JobId, JobEvents.Create);
    }
}
