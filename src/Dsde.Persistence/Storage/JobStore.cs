using System.Collections.Concurrent;
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
    private readonly IRows _rows;
    private readonly JobQueries _queries;
    private readonly GroupCommit<Claiming.Attempt, Claiming.NewClaim> _newClaims;
    private readonly GroupCommit<Claiming.Attempt, ClaimResult> _knownClaims;
    private readonly GroupCommit<Ending.Attempt, StoredEnd?> _ends;
    private readonly GroupCommit<Guid, bool> _erasures;

    // What the database did not answer to, until the caller tries again.
    private readonly ConcurrentDictionary<Guid, Guid> _unansweredClaims = new();
    private readonly ConcurrentDictionary<Guid, bool> _unansweredEnds = new();

    public JobStore(Database database, IRows rows, TimeProvider time)
    {
        (_database, _rows, _time) = (database, rows, time);
        _batches = new Batches(rows);
        _queries = new JobQueries(database, rows);
        _holding = new Holding(rows, time);
        _intervening = new Intervening(rows, _batches, time);
        var (claiming, ending) = (new Claiming(rows, _batches, time), new Ending(rows, time));
        _newClaims = new(
            claims =>
                database.RunInTransactionAsync((context, token) => claiming.ClaimNewAsync(context, claims, token), CancellationToken.None),
            claim => GiveBackAsync(claim.Claimed)
        );
        _knownClaims = new(
            claims =>
                database.RunInTransactionAsync(
                    (context, token) => claiming.ClaimKnownAsync(context, claims, token),
                    CancellationToken.None
                ),
            GiveBackAsync
        );
        _ends = new(ends => StoreAsync(ending, ends));
        _erasures = new(jobIds => EraseAsync(rows, jobIds));
    }

    /// <inheritdoc/>
    public async Task<ClaimResult> ClaimAsync(JobClaim claim, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var attempt = new Claiming.Attempt(
            StorableText.Clean(claim),
            _unansweredClaims.TryRemove(claim.JobId, out var token) ? token : Guid.NewGuid()
        );
        try
        {
            return await _newClaims.WriteAsync(attempt, cancellationToken) is { Claimed: { } claimed, IsBatchUncounted: false }
                ? claimed
                : await _knownClaims.WriteAsync(attempt, cancellationToken);
        }
        catch (DatabaseUnavailableException)
        {
            _unansweredClaims[claim.JobId] = attempt.Token;
            throw;
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<LeaseNotice>> RenewAsync(
        IReadOnlyList<JobLease> leases,
        TimeSpan duration,
        CancellationToken cancellationToken
    ) =>
        leases.Count == 0
            ? Task.FromResult<IReadOnlyList<LeaseNotice>>([])
            : _database.RunInTransactionAsync(
                (context, token) => _rows.RenewAsync(context, leases, _time.GetStorableNow() + duration, token),
                cancellationToken
            );

    /// <inheritdoc/>
    public Task<bool> MarkAloneAsync(JobLease lease, CancellationToken cancellationToken) =>
        _database.RunAsync((context, token) => Holding.MarkAloneAsync(context, lease, token), cancellationToken);

    /// <inheritdoc/>
    public Task<bool> SaveCheckpointsAsync(JobLease lease, IReadOnlyList<JobCheckpoint> checkpoints, CancellationToken cancellationToken) =>
        _database.RunInTransactionAsync(
            (context, token) => _holding.SaveCheckpointsAsync(context, lease, checkpoints, token),
            cancellationToken
        );

    /// <inheritdoc/>
    public Task ReleaseAsync(JobLease lease, CancellationToken cancellationToken) =>
        _database.RunAsync((context, token) => Holding.ReleaseAsync(context, lease, token), cancellationToken);

    /// <inheritdoc/>
    public async Task<StoredEnd?> StoreAsync(JobEnd end, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return await _ends.WriteAsync(
                new Ending.Attempt(StorableText.Clean(end), _unansweredEnds.TryRemove(end.Lease.Token, out _)),
                cancellationToken
            );
        }
        catch (DatabaseUnavailableException)
        {
            _unansweredEnds[end.Lease.Token] = true;
            throw;
        }
    }

    /// <inheritdoc/>
    public Task EraseAsync(Guid jobId, CancellationToken cancellationToken) => _erasures.WriteAsync(jobId, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> CancelJobAsync(Guid jobId, CancellationToken cancellationToken) =>
        _database.RunInTransactionAsync((context, token) => _intervening.CancelAsync(context, jobId, token), cancellationToken);

    /// <inheritdoc/>
    public Task CancelBatchAsync(Guid batchId, CancellationToken cancellationToken) =>
        _database.RunInTransactionAsync(
            (context, token) => _batches.CancelAsync(context, batchId, _time.GetStorableNow(), token),
            cancellationToken
        );

    /// <inheritdoc/>
    public Task<bool> ReopenAsync(Guid jobId, CancellationToken cancellationToken) =>
        _database.RunInTransactionAsync((context, token) => _intervening.ReopenAsync(context, jobId, token), cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<StoredJob>> FindAsync(IReadOnlyList<Guid> jobIds, CancellationToken cancellationToken) =>
        _queries.FindAsync(jobIds, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> IsJobKnownAsync(Guid jobId, CancellationToken cancellationToken) =>
        _queries.IsJobKnownAsync(jobId, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> IsBatchKnownAsync(Guid batchId, CancellationToken cancellationToken) =>
        _queries.IsBatchKnownAsync(batchId, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyDictionary<Guid, byte[]>> FindRequestHashesAsync(
        IReadOnlyList<Guid> jobIds,
        CancellationToken cancellationToken
    ) => _queries.FindRequestHashesAsync(jobIds, cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<StoredJob> ReadEndedAsync(Guid batchId, CancellationToken cancellationToken) =>
        _queries.ReadEndedAsync(batchId, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<BatchUnderWay>> FindBatchesUnderWayAsync(int limit, CancellationToken cancellationToken) =>
        _queries.FindBatchesUnderWayAsync(limit, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<LivingWorker>> FindWorkersAsync(TimeSpan seenWithin, CancellationToken cancellationToken) =>
        _queries.FindWorkersAsync(seenWithin, cancellationToken);

    /// <inheritdoc/>
    public Task RegisterBatchAsync(NewBatch batch, CancellationToken cancellationToken) =>
        _database.RunInTransactionAsync(
            (context, token) => _batches.RegisterAsync(context, batch, _time.GetStorableNow(), token),
            cancellationToken
        );

    /// <inheritdoc/>
    public Task<BatchProgress?> FindBatchAsync(Guid batchId, CancellationToken cancellationToken) =>
        _database.RunAsync((context, token) => Batches.FindAsync(context, batchId, token), cancellationToken);

    /// <inheritdoc/>
    public Task MarkBatchAnnouncedAsync(Guid batchId, CancellationToken cancellationToken)
    {
        DateTimeOffset? now = _time.GetStorableNow();
        return _database.RunAsync(
            (context, token) =>
                context
                    .Batches.Where(batch => batch.BatchId == batchId && batch.AnnouncedAt == null)
                    .ExecuteUpdateAsync(set => set.SetProperty(batch => batch.AnnouncedAt, now), token),
            cancellationToken
        );
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _newClaims.DisposeAsync();
        await _knownClaims.DisposeAsync();
        await _ends.DisposeAsync();
        await _erasures.DisposeAsync();
    }

    private Task<IReadOnlyList<StoredEnd?>> StoreAsync(Ending ending, IReadOnlyList<Ending.Attempt> ends) =>
        _database.RunInTransactionAsync(
            async (context, token) =>
            {
                var stored = await ending.StoreAsync(context, ends, token);
                foreach (var end in ends)
                {
                    end.IsRepeated = true; // from here on the commit may arrive without an answer
                }

                return stored;
            },
            CancellationToken.None
        );

    private Task<IReadOnlyList<bool>> EraseAsync(IRows rows, IReadOnlyList<Guid> jobIds) =>
        _database.RunInTransactionAsync<IReadOnlyList<bool>>(
            async (context, token) =>
            {
                await rows.EraseAsync(context, jobIds, token);
                return new bool[jobIds.Count];
            },
            CancellationToken.None
        );

    /// <summary>A claim whose caller has gone is nobody's; left alone it would hold the job until it runs out.</summary>
    private async Task GiveBackAsync(ClaimResult? result)
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
