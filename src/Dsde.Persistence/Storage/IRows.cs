using Dsde.Persistence.Entities;

namespace Dsde.Persistence.Storage;

/// <summary>What the databases do in ways of their own. All of it within the context's transaction, in which jobs are locked before batches, both in order of their ids.</summary>
internal interface IRows
{
    /// <summary>Adds the jobs that are not there yet.</summary>
    /// <returns>The ids of those that were added.</returns>
    Task<HashSet<Guid>> AddNewJobsAsync(DsdeDbContext context, IReadOnlyList<GenerationJob> jobs, CancellationToken cancellationToken);

    /// <summary>Adds the batches that are not there yet.</summary>
    Task AddNewBatchesAsync(DsdeDbContext context, IReadOnlyList<Guid> batchIds, CancellationToken cancellationToken);

    /// <summary>Keeps others from changing some jobs; loads those that are there.</summary>
    Task<Dictionary<Guid, GenerationJob>> LockJobsAsync(DsdeDbContext context, IReadOnlyList<Guid> jobIds, CancellationToken cancellationToken);

    /// <summary>Keeps others from changing some batches; loads those that are there.</summary>
    Task<Dictionary<Guid, GenerationBatch>> LockBatchesAsync(DsdeDbContext context, IReadOnlyList<Guid> batchIds, CancellationToken cancellationToken);

    /// <summary>Adds traces.</summary>
    Task AddTracesAsync(DsdeDbContext context, IReadOnlyList<JobTraceRow> traces, CancellationToken cancellationToken);
}
