using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Storage;

/// <summary>Batches count the ends of their jobs; every method works within the context's transaction.</summary>
internal sealed class Batches(IRows rows)
{
    /// <summary>Sees to it that batches are there; some with the number of their jobs.</summary>
    /// <returns>Those that are to be cancelled.</returns>
    public async Task<HashSet<Guid>> NoteAsync(
        DsdeDbContext context,
        IReadOnlyDictionary<Guid, int?> jobCounts,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        if (jobCounts.Count == 0)
        {
            return [];
        }

        var ids = jobCounts.Keys.ToList();
        await rows.AddNewBatchesAsync(context, ids, cancellationToken);
        var remarkable = await context
            .Batches.AsNoTracking()
            .Where(batch => ids.Contains(batch.BatchId) && (batch.JobCount == null || batch.CancelRequestedAt != null))
            .ToListAsync(cancellationToken);
        var uncounted = remarkable
            .Where(batch => batch.JobCount is null && jobCounts[batch.BatchId] is not null)
            .Select(batch => batch.BatchId)
            .ToList();
        if (uncounted.Count > 0)
        {
            foreach (var (id, batch) in await rows.LockBatchesAsync(context, uncounted, cancellationToken))
            {
                Register(batch, jobCounts[id], source: null, now);
            }

            await context.SaveChangesAsync(cancellationToken);
        }

        return [.. remarkable.Where(batch => batch.CancelRequestedAt is not null).Select(batch => batch.BatchId)];
    }

    /// <summary>Notes a batch that is about to be sent.</summary>
    public async Task RegisterAsync(DsdeDbContext context, NewBatch batch, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await rows.AddNewBatchesAsync(context, [batch.BatchId], cancellationToken);
        Register(
            (await rows.LockBatchesAsync(context, [batch.BatchId], cancellationToken))[batch.BatchId],
            batch.JobCount,
            StorableText.Clean(batch.Source),
            now
        );
        await context.SaveChangesAsync(cancellationToken);
    }

    /// <summary>Notes that a batch is to be cancelled, known or not.</summary>
    public async Task CancelAsync(DsdeDbContext context, Guid batchId, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await rows.AddNewBatchesAsync(context, [batchId], cancellationToken);
        (await rows.LockBatchesAsync(context, [batchId], cancellationToken))[batchId].CancelRequestedAt ??= now;
        await context.SaveChangesAsync(cancellationToken);
    }

    /// <summary>Takes back the end of a failed job.</summary>
    public async Task ReopenAsync(DsdeDbContext context, Guid batchId, CancellationToken cancellationToken)
    {
        if ((await rows.LockBatchesAsync(context, [batchId], cancellationToken)).GetValueOrDefault(batchId) is { } batch)
        {
            batch.FailedCount--;
            batch.CompletedAt = null;
            batch.AnnouncedAt = null;
        }
    }

    /// <summary>How far a batch is; null if it is not known.</summary>
    public static async Task<BatchProgress?> FindAsync(DsdeDbContext context, Guid batchId, CancellationToken cancellationToken) =>
        await context.Batches.AsNoTracking().FirstOrDefaultAsync(row => row.BatchId == batchId, cancellationToken) is { } batch
            ? ToProgress(
                batch,
                await context.Jobs.CountAsync(job => job.BatchId == batchId && job.State == JobState.Running, cancellationToken)
            )
            : null;

    /// <summary>The row as the outside sees it.</summary>
    public static BatchProgress ToProgress(GenerationBatch batch, int running) =>
        new(
            batch.BatchId,
            batch.JobCount,
            running,
            batch.CompletedCount,
            batch.FailedCount,
            batch.CancelledCount,
            batch.AnnouncedAt is not null,
            batch.CompletedAt
        );

    private static void Register(GenerationBatch batch, int? jobCount, string? source, DateTimeOffset now)
    {
        batch.Source ??= source;
        if (batch.JobCount is null)
        {
            batch.JobCount = jobCount;
            batch.SubmittedAt = now;
            batch.CompletedAt = ToProgress(batch, running: 0).IsComplete ? now : null; // of its jobs all have ended before somebody said how many there are
        }
    }
}
