using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Storage;

/// <inheritdoc/>
internal sealed class JobStore(Database database, TimeProvider time) : IJobStore, IAsyncDisposable
{
    private const string CancelledByRequest = "cancelled";

    private readonly Claiming _claiming = new(time);
    private readonly EndWriter _ends = new(database, time);

    /// <inheritdoc/>
    public Task<ClaimResult> ClaimAsync(JobClaim claim, CancellationToken cancellationToken)
        => database.RunAsync((context, token) => _claiming.ClaimAsync(context, claim, token), cancellationToken);

    /// <inheritdoc/>
    public Task RenewLeasesAsync(string workerId, TimeSpan lease, CancellationToken cancellationToken)
    {
        DateTimeOffset? until = time.GetUtcNow() + lease;
        return database.RunAsync(
            (context, token) => context.Jobs.Where(job => job.WorkerId == workerId && job.State == JobState.Running)
                .ExecuteUpdateAsync(set => set.SetProperty(job => job.LeaseUntil, until), token),
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task ReleaseAsync(Guid jobId, Guid leaseToken, CancellationToken cancellationToken)
    {
        DateTimeOffset? now = time.GetUtcNow();
        return database.RunAsync(
            (context, token) => context.Jobs.Where(job => job.JobId == jobId && job.State == JobState.Running && job.LeaseToken == leaseToken)
                .ExecuteUpdateAsync(set => set.SetProperty(job => job.LeaseUntil, now).SetProperty(job => job.WorkerId, (string?)null), token),
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task<bool> StoreAsync(JobEnd end, CancellationToken cancellationToken) => _ends.WriteAsync(end, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> CancelJobAsync(Guid jobId, CancellationToken cancellationToken)
        => database.RunAsync((context, token) => CancelAsync(context, jobId, token), cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<StoredJob>> FindAsync(IReadOnlyList<Guid> jobIds, CancellationToken cancellationToken)
        => database.RunAsync(
            async (context, token) => await JobReading.ReadAsync(context, await context.Jobs.AsNoTracking().Where(job => jobIds.Contains(job.JobId)).ToListAsync(token), token),
            cancellationToken);

    /// <inheritdoc/>
    public Task RegisterBatchAsync(NewBatch batch, CancellationToken cancellationToken)
        => database.RunAsync(
            async (context, token) =>
            {
                if (!await context.Batches.AnyAsync(row => row.BatchId == batch.BatchId, token))
                {
                    context.Batches.Add(new GenerationBatch { BatchId = batch.BatchId, JobCount = batch.JobCount, Source = batch.Source, SubmittedAt = time.GetUtcNow() });
                    await SaveUnlessKnownAsync(context, token);
                }

                return true;
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<BatchProgress?> FindBatchAsync(Guid batchId, CancellationToken cancellationToken)
        => database.RunAsync(
            async (context, token) =>
            {
                if (await context.Batches.AsNoTracking().FirstOrDefaultAsync(row => row.BatchId == batchId, token) is not { } batch)
                {
                    return null;
                }

                var states = await context.Jobs.Where(job => job.BatchId == batchId).GroupBy(job => job.State)
                    .Select(group => new { State = group.Key, Count = group.Count(), LastEndedAt = group.Max(job => job.EndedAt) }).ToListAsync(token);
                return new BatchProgress(
                    batchId, batch.JobCount, Count(JobState.Running), Count(JobState.Completed), Count(JobState.Failed), Count(JobState.Cancelled),
                    batch.AnnouncedAt is not null, states.Max(state => state.LastEndedAt));

                int Count(JobState wanted) => states.FirstOrDefault(state => state.State == wanted)?.Count ?? 0;
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<Guid>> FindBatchJobsAsync(Guid batchId, CancellationToken cancellationToken)
        => database.RunAsync<IReadOnlyList<Guid>>(
            async (context, token) => await context.Jobs.Where(job => job.BatchId == batchId).Select(job => job.JobId).ToListAsync(token), cancellationToken);

    /// <inheritdoc/>
    public Task MarkAnnouncedAsync(Guid batchId, CancellationToken cancellationToken)
    {
        DateTimeOffset? now = time.GetUtcNow();
        return database.RunAsync(
            (context, token) => context.Batches.Where(batch => batch.BatchId == batchId && batch.AnnouncedAt == null)
                .ExecuteUpdateAsync(set => set.SetProperty(batch => batch.AnnouncedAt, now), token),
            cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _ends.DisposeAsync();

    private async Task<bool> CancelAsync(DsdeDbContext context, Guid jobId, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (!await context.Jobs.AnyAsync(job => job.JobId == jobId, cancellationToken))
        {
            context.Jobs.Add(new GenerationJob { JobId = jobId, State = JobState.Cancelled, CancelReason = CancelledByRequest, CreatedAt = now, EndedAt = now });
            if (await SaveUnlessKnownAsync(context, cancellationToken))
            {
                return true;
            }
        }

        await context.Jobs.Where(job => job.JobId == jobId && job.State == JobState.Running).ExecuteUpdateAsync(
            set => set.SetProperty(job => job.State, JobState.Cancelled).SetProperty(job => job.CancelReason, CancelledByRequest)
                .SetProperty(job => job.EndedAt, now).SetProperty(job => job.LeaseUntil, (DateTimeOffset?)null),
            cancellationToken);
        return await context.Jobs.AnyAsync(job => job.JobId == jobId && job.State == JobState.Cancelled, cancellationToken);
    }

    private static async Task<bool> SaveUnlessKnownAsync(DsdeDbContext context, CancellationToken cancellationToken)
    {
        try
        {
            await context.SaveChangesAsync(cancellationToken);
            return true;
        }
        catch (DbUpdateException exception) when (Database.IsDuplicate(exception))
        {
            context.ChangeTracker.Clear();
            return false;
        }
    }
}
