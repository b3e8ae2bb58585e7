using Dsde.Persistence.Entities;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Storage;

/// <summary>On SQLite, where a transaction has the database to itself from its beginning, reading is locking.</summary>
internal sealed class SqliteRows : IRows
{
    /// <inheritdoc/>
    public async Task<HashSet<Guid>> AddNewJobsAsync(DsdeDbContext context, IReadOnlyList<GenerationJob> jobs, CancellationToken cancellationToken)
    {
        var ids = jobs.Select(job => job.JobId).ToList();
        var known = await context.Jobs.Where(job => ids.Contains(job.JobId)).Select(job => job.JobId).ToListAsync(cancellationToken);
        var added = jobs.Where(job => !known.Contains(job.JobId)).ToList();
        context.Jobs.AddRange(added);
        await context.SaveChangesAsync(cancellationToken);
        return [.. added.Select(job => job.JobId)];
    }

    /// <inheritdoc/>
    public async Task AddNewBatchesAsync(DsdeDbContext context, IReadOnlyList<Guid> batchIds, CancellationToken cancellationToken)
    {
        var known = await context.Batches.Where(batch => batchIds.Contains(batch.BatchId)).Select(batch => batch.BatchId).ToListAsync(cancellationToken);
        context.Batches.AddRange(batchIds.Except(known).Select(id => new GenerationBatch { BatchId = id }));
        await context.SaveChangesAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public Task<Dictionary<Guid, GenerationJob>> LockJobsAsync(DsdeDbContext context, IReadOnlyList<Guid> jobIds, CancellationToken cancellationToken)
        => context.Jobs.Where(job => jobIds.Contains(job.JobId)).ToDictionaryAsync(job => job.JobId, cancellationToken);

    /// <inheritdoc/>
    public Task<Dictionary<Guid, GenerationBatch>> LockBatchesAsync(DsdeDbContext context, IReadOnlyList<Guid> batchIds, CancellationToken cancellationToken)
        => context.Batches.Where(batch => batchIds.Contains(batch.BatchId)).ToDictionaryAsync(batch => batch.BatchId, cancellationToken);

    /// <inheritdoc/>
    public Task AddTracesAsync(DsdeDbContext context, IReadOnlyList<JobTraceRow> traces, CancellationToken cancellationToken)
    {
        context.Traces.AddRange(traces);
        return context.SaveChangesAsync(cancellationToken);
    }
}
