using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Storage;

/// <inheritdoc/>
internal sealed class JobStore : IJobStore, IAsyncDisposable
{
    private readonly Database _database;
    private readonly TimeProvider _time;
    private readonly Batches _batches;
    private readonly Holding _holding;
    private readonly Intervening _intervening;
    private readonly GroupCommit<Claiming.Attempt, ClaimResult> _claims;
    private readonly GroupCommit<Ending.Attempt, StoredEnd?> _ends;

    public JobStore(Database database, IRows rows, TimeProvider time)
    {
        (_database, _time) = (database, time);
        _batches = new Batches(rows);
        _holding = new Holding(rows, time);
        _intervening = new Intervening(rows, _batches, time);
        var (claiming, ending) = (new Claiming(rows, _batches, time), new Ending(rows, _batches, time));
        _claims = new(claims => database.RunInTransactionAsync((context, token) => claiming.ClaimAsync(context, claims, token), CancellationToken.None), GiveBackAsync);
        _ends = new(ends => StoreAsync(ending, ends));
    }

    /// <inheritdoc/>
    public Task<ClaimResult> ClaimAsync(JobClaim claim, CancellationToken cancellationToken)
        => _claims.WriteAsync(new Claiming.Attempt(StorableText.Clean(claim), Guid.NewGuid()), cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<LeaseNotice>> RenewAsync(IReadOnlyList<JobLease> leases, TimeSpan duration, CancellationToken cancellationToken)
        => _database.RunAsync((context, token) => _holding.RenewAsync(context, leases, duration, token), cancellationToken);

    /// <inheritdoc/>
    public Task<bool> MarkAloneAsync(JobLease lease, CancellationToken cancellationToken)
        => _database.RunAsync((context, token) => Holding.MarkAloneAsync(context, lease, token), cancellationToken);

    /// <inheritdoc/>
    public Task<bool> SaveCheckpointsAsync(JobLease lease, IReadOnlyList<JobCheckpoint> checkpoints, CancellationToken cancellationToken)
        => _database.RunInTransactionAsync((context, token) => _holding.SaveCheckpointsAsync(context, lease, checkpoints, token), cancellationToken);

    /// <inheritdoc/>
    public Task ReleaseAsync(JobLease lease, CancellationToken cancellationToken)
        => _database.RunAsync((context, token) => Holding.ReleaseAsync(context, lease, token), cancellationToken);

    /// <inheritdoc/>
    public Task<StoredEnd?> StoreAsync(JobEnd end, CancellationToken cancellationToken)
        => _ends.WriteAsync(new Ending.Attempt(StorableText.Clean(end)), cancellationToken);

    /// <inheritdoc/>
    public Task EraseAsync(Guid jobId, CancellationToken cancellationToken)
        => _database.RunInTransactionAsync((context, token) => _intervening.EraseAsync(context, jobId, token), cancellationToken);

    /// <inheritdoc/>
    public Task<bool> CancelJobAsync(Guid jobId, CancellationToken cancellationToken)
        => _database.RunInTransactionAsync((context, token) => _intervening.CancelAsync(context, jobId, token), cancellationToken);

    /// <inheritdoc/>
    public Task CancelBatchAsync(Guid batchId, CancellationToken cancellationToken)
        => _database.RunInTransactionAsync((context, token) => _batches.CancelAsync(context, batchId, _time.GetStorableNow(), token), cancellationToken);

    /// <inheritdoc/>
    public Task<bool> ReopenAsync(Guid jobId, CancellationToken cancellationToken)
        => _database.RunInTransactionAsync((context, token) => _intervening.ReopenAsync(context, jobId, token), cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<StoredJob>> FindAsync(IReadOnlyList<Guid> jobIds, CancellationToken cancellationToken)
        => _database.RunAsync(
            async (context, token) => await JobReading.ReadAsync(context, await context.Jobs.AsNoTracking().Where(job => jobIds.Contains(job.JobId)).ToListAsync(token), token),
            cancellationToken);

    /// <inheritdoc/>
    public Task RegisterBatchAsync(NewBatch batch, CancellationToken cancellationToken)
        => _database.RunInTransactionAsync((context, token) => _batches.RegisterAsync(context, batch, _time.GetStorableNow(), token), cancellationToken);

    /// <inheritdoc/>
    public Task<BatchProgress?> FindBatchAsync(Guid batchId, CancellationToken cancellationToken)
        => _database.RunAsync((context, token) => Batches.FindAsync(context, batchId, token), cancellationToken);

    /// <inheritdoc/>
    public Task MarkBatchAnnouncedAsync(Guid batchId, CancellationToken cancellationToken)
    {
        DateTimeOffset? now = _time.GetStorableNow();
        return _database.RunAsync(
            (context, token) => context.Batches.Where(batch => batch.BatchId == batchId && batch.AnnouncedAt == null)
                .ExecuteUpdateAsync(set => set.SetProperty(batch => batch.AnnouncedAt, now), token),
            cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _claims.DisposeAsync();
        await _ends.DisposeAsync();
    }

    private Task<IReadOnlyList<StoredEnd?>> StoreAsync(Ending ending, IReadOnlyList<Ending.Attempt> ends) => _database.RunInTransactionAsync(
        async (context, token) =>
        {
            var stored = await ending.StoreAsync(context, ends, token);
            foreach (var end in ends)
            {
                end.IsRepeated = true; // from here on the commit may arrive without an answer
            }

            return stored;
        },
        CancellationToken.None);

    /// <summary>A claim whose caller has gone is nobody's; left alone it would hold the job until it runs out.</summary>
    private async Task GiveBackAsync(ClaimResult result)
    {
        try
        {
            if (result is ClaimResult.Claimed claimed)
            {
                await ReleaseAsync(claimed.Lease, CancellationToken.None);
            }
        }
        catch (DatabaseUnavailableException)
        {
            // then it runs out
        }
    }
}
