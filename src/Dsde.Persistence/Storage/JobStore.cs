using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Storage;

/// <inheritdoc/>
internal sealed class JobStore : IJobStore, IAsyncDisposable
{
    private const int BytesPerRow = 1024; // what an item sends beside its texts and series

    private readonly Database _database;
    private readonly IDialect _dialect;
    private readonly TimeProvider _time;
    private readonly JobQueries _queries;
    private readonly BatchRegister _batches;
    private readonly Claiming _claiming;
    private readonly Intervening _intervening;
    private readonly GroupCommit<JobClaim, ClaimResult.Claimed?> _newClaims;
    private readonly GroupCommit<HeldCheckpoints, bool> _checkpoints;
    private readonly GroupCommit<JobEnd, StoredEnd?> _ends;

    public JobStore(Database database, IDialect dialect, TimeProvider time)
    {
        (_database, _dialect, _time) = (database, dialect, time);
        _queries = new JobQueries(database, dialect);
        _batches = new BatchRegister(dialect);
        _claiming = new Claiming(dialect, _batches, time);
        _intervening = new Intervening(dialect, _batches, time);
        var ending = new Ending(dialect, time);
        _newClaims = new(
            new()
            {
                Write = InTransaction<JobClaim, ClaimResult.Claimed?>(_claiming.ClaimNewAsync),
                KeyOf = claim => claim.LeaseToken,
                SizeOf = claim => BytesPerRow + claim.Request.Length,
                Abandon = GiveBackAsync,
            },
            time
        );
        _checkpoints = new(
            new()
            {
                Write = InTransaction<HeldCheckpoints, bool>(SaveAsync),
                KeyOf = save => save.Lease.Token,
                SizeOf = save => save.Checkpoints.Sum(checkpoint => BytesPerRow + (long)checkpoint.State.Length),
            },
            time
        );
        _ends = new(
            new()
            {
                Write = InTransaction<JobEnd, StoredEnd?>(ending.StoreAsync),
                KeyOf = end => end.Lease.Token,
                SizeOf = SizeOf,
            },
            time
        );
    }

    /// <inheritdoc/>
    public async Task<ClaimResult> ClaimAsync(JobClaim claim, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        claim = StorableText.Clean(claim);
        if (await _newClaims.WriteAsync(claim, cancellationToken) is { } claimed)
        {
            return claimed;
        }

        // Not in the caller's time: a claim whose caller is gone must be given back, which takes knowing that it was made.
        var claiming = _database.RunInTransactionAsync(
            (context, token) => _claiming.ClaimKnownAsync(context, claim, token),
            CancellationToken.None
        );
        try
        {
            return await claiming.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            _ = GiveBackWhenMadeAsync(claiming);
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
            : _database.RunInTransactionAsync((context, token) => _dialect.RenewAsync(context, leases, duration, token), cancellationToken);

    /// <inheritdoc/>
    public Task<bool> MarkAsync(JobLease lease, JobPlace place, CancellationToken cancellationToken) =>
        _database.RunAsync((context, token) => Holding.MarkAsync(context, lease, place, token), cancellationToken);

    /// <inheritdoc/>
    public Task<bool> SaveCheckpointsAsync(JobLease lease, IReadOnlyList<JobCheckpoint> checkpoints, CancellationToken cancellationToken) =>
        _checkpoints.WriteAsync(new HeldCheckpoints(lease, checkpoints), cancellationToken);

    /// <inheritdoc/>
    public Task ReleaseAsync(JobLease lease, CancellationToken cancellationToken) =>
        _database.RunInTransactionAsync(
            async (context, token) =>
            {
                await _dialect.LockJobAsync(context, lease.JobId, token);
                return await Holding.ReleaseAsync(context, lease, _time.GetStorableNow(), token);
            },
            cancellationToken
        );

    /// <inheritdoc/>
    public async Task<StoredEnd?> StoreAsync(JobEnd end, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return await _ends.WriteAsync(StorableText.Clean(end), cancellationToken);
    }

    /// <inheritdoc/>
    public Task EraseAsync(Guid jobId, CancellationToken cancellationToken) =>
        _database.RunInTransactionAsync((context, token) => _dialect.EraseAsync(context, [jobId], token), cancellationToken);

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
    public IAsyncEnumerable<NamedJob> ReadNamesAsync(Guid batchId, CancellationToken cancellationToken) =>
        _queries.ReadNamesAsync(batchId, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<BatchUnderWay>> FindBatchesUnderWayAsync(int limit, CancellationToken cancellationToken) =>
        _queries.FindBatchesUnderWayAsync(limit, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<LivingWorker>> FindWorkersAsync(TimeSpan seenWithin, CancellationToken cancellationToken) =>
        _queries.FindWorkersAsync(seenWithin, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<string>> FindModelsAsync(CancellationToken cancellationToken) => _queries.FindModelsAsync(cancellationToken);

    /// <inheritdoc/>
    public Task RegisterBatchAsync(NewBatch batch, CancellationToken cancellationToken) =>
        _database.RunInTransactionAsync(
            (context, token) => _batches.RegisterAsync(context, batch, _time.GetStorableNow(), token),
            cancellationToken
        );

    /// <inheritdoc/>
    public Task<BatchProgress?> FindBatchAsync(Guid batchId, CancellationToken cancellationToken) =>
        _database.RunAsync((context, token) => BatchRegister.FindAsync(context, batchId, token), cancellationToken);

    /// <inheritdoc/>
    public Task MarkBatchAnnouncedAsync(Guid batchId, CancellationToken cancellationToken)
    {
        DateTimeOffset? now = _time.GetStorableNow();
        return _database.RunAsync(
            (context, token) =>
                context
                    .Batches.Where(batch =>
                        batch.BatchId == batchId && batch.AnnouncedAt == null && batch.CompletedAt != null // it may have been reopened
                    )
                    .ExecuteUpdateAsync(set => set.SetProperty(batch => batch.AnnouncedAt, now), token),
            cancellationToken
        );
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() =>
        await Task.WhenAll(_newClaims.DisposeAsync().AsTask(), _checkpoints.DisposeAsync().AsTask(), _ends.DisposeAsync().AsTask());

    private Func<IReadOnlyList<TItem>, CancellationToken, Task<IReadOnlyList<TResult>>> InTransaction<TItem, TResult>(
        Func<DsdeDbContext, IReadOnlyList<TItem>, CancellationToken, Task<IReadOnlyList<TResult>>> write
    ) => (items, cancellationToken) => _database.RunInTransactionAsync((context, token) => write(context, items, token), cancellationToken);

    private async Task<IReadOnlyList<bool>> SaveAsync(
        DsdeDbContext context,
        IReadOnlyList<HeldCheckpoints> saves,
        CancellationToken cancellationToken
    )
    {
        var held = await _dialect.SaveCheckpointsAsync(context, saves, _time.GetStorableNow(), cancellationToken);
        return [.. saves.Select(save => held.Contains(save.Lease.Token))];
    }

    private static long SizeOf(JobEnd end) =>
        BytesPerRow
        + end.Outputs.Sum(output =>
            (output.Text?.Length ?? 0L)
            + (8L * ((output.TokenIds?.Length ?? 0) + (output.PromptTokenIds?.Length ?? 0) + (output.TopTokenIds?.Length ?? 0)))
            + (8L * ((output.TokenLogProbabilities?.Length ?? 0) + (output.TopLogProbabilities?.Length ?? 0)))
            + (output.TokenBytes?.Length ?? 0)
        )
        + end.Traces.Sum(trace => BytesPerRow + (80L * trace.Iterations) + (29L * trace.Proposed) + (14L * trace.CompletionTokens));

    private async Task GiveBackWhenMadeAsync(Task<ClaimResult> claiming)
    {
        await ((Task)claiming).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await GiveBackAsync(claiming.IsCompletedSuccessfully ? await claiming : null);
    }

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
