using System.Runtime.CompilerServices;
using Dsde.Batches.Files.Results;
using Dsde.Contracts;
using Dsde.Persistence;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Jobs.Ends;

namespace Dsde.Worker.Embedded;

/// <summary>Jobs and their ends from the database.</summary>
internal sealed class StoredJobs(IJobStore store) : IKnownJobs
{
    /// <inheritdoc/>
    public async Task<IReadOnlyDictionary<Guid, KnownJob>> FindAsync(IReadOnlyList<Guid> jobIds, CancellationToken cancellationToken) =>
        (await store.FindAsync(jobIds, cancellationToken)).ToDictionary(job => job.JobId, ToKnown);

    /// <inheritdoc/>
    public async IAsyncEnumerable<KnownJob> ReadEndedAsync(Guid batchId, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var job in store.ReadEndedAsync(batchId, cancellationToken))
        {
            yield return ToKnown(job);
        }
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<JobName> ReadNamesAsync(Guid batchId, CancellationToken cancellationToken) =>
        store
            .ReadNamesAsync(batchId, cancellationToken)
            .Select(job => new JobName(job.JobId, job.CustomId, HasEnded: job.State is not (JobState.Queued or JobState.Running)));

    private static KnownJob ToKnown(StoredJob job)
    {
        var request = job.Request is null ? null : CanonicalRequest.Read(job.Request);
        var end = job.State is JobState.Queued or JobState.Running ? null : JobEvents.Create(job, request);
        return new KnownJob(job.JobId, job.CustomId, request, job.RequestHash, end);
    }
}
