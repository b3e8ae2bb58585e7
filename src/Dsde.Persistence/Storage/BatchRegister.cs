using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Storage;

/// <summary>Batches count the ends of their jobs; every method works within the context's transaction.</summary>
internal sealed class BatchRegister(IDialect dialect)
{
    /// <summary>Sees to it that a batch is there, and knows how many jobs it has if its job says so.</summary>
    /// <returns>Whether it is to be cancelled.</returns>
    public async Task<bool> NoteAsync(
        DsdeDbContext context,
        Guid batchId,
        int? jobCount,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        await dialect.AddNewBatchAsync(context, batchId, cancellationToken);
        var batch = await context
            .Batches.Where(batch => batch.BatchId == batchId)
            .Select(batch => new { IsUncounted = batch.JobCount == null, IsCancelled = batch.CancelRequestedAt != null })
            .SingleAsync(cancellationToken);
        if (batch.IsUncounted && jobCount is not null)
        {
            await RegisterAsync(context, batchId, jobCount, source: null, now, cancellationToken);
        }

        return batch.IsCancelled;
    }

    /// <summary>Notes a batch that is about to be sent.</summary>
    public async Task RegisterAsync(DsdeDbContext context, NewBatch batch, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await dialect.AddNewBatchAsync(context, batch.BatchId, cancellationToken);
        await RegisterAsync(context, batch.BatchId, batch.JobCount, StorableText.Clean(batch.Source), now, cancellationToken);
    }

    /// <summary>Notes that a batch is to be cancelled, known or not.</summary>
    public async Task CancelAsync(DsdeDbContext context, Guid batchId, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await dialect.AddNewBatchAsync(context, batchId, cancellationToken);
        if (await dialect.LockBatchAsync(context, batchId, cancellationToken) is { } batch)
        {
            batch.CancelRequestedAt ??= now;
            await context.SaveChangesAsync(cancellationToken);
        }
    }

    /// <summary>Takes back the end of a failed job.</summary>
    public async Task ReopenAsync(DsdeDbContext context, Guid batchId, CancellationToken cancellationToken)
    {
        if (await dialect.LockBatchAsync(context, batchId, cancellationToken) is { } batch)
        {
            batch.FailedCount--;
            batch.CompletedAt = null;
            batch.AnnouncedAt = null;
            batch.Reopenings++;
            await context.SaveChangesAsync(cancellationToken);
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
        )
        {
            Reopenings = batch.Reopenings,
            IsCancelRequested = batch.CancelRequestedAt is not null,
        };

    private async Task RegisterAsync(
        DsdeDbContext context,
        Guid batchId,
        int? jobCount,
        string? source,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        if (await dialect.LockBatchAsync(context, batchId, cancellationToken) is not { } batch)
        {
            return;
        }

        batch.Source ??= source;
        if (batch.JobCount is null)
        {
            batch.JobCount = jobCount;
            batch.SubmittedAt = now;
            batch.CompletedAt = ToProgress(batch, running: 0).IsComplete ? now : null; // all have ended before somebody counted them
        }

        await context.SaveChangesAsync(cancellationToken);
    }
}
