using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Dsde.Persistence.Storage;

/// <summary>
/// On PostgreSQL, where transactions run side by side and every statement is a round trip: rows are locked one by one, and sets of them are
/// written in one statement.
/// </summary>
internal sealed class PostgresRows : IRows
{
    /// <inheritdoc/>
    public async Task<DateTimeOffset> ReadClockAsync(DsdeDbContext context, CancellationToken cancellationToken) =>
        (await context.Database.SqlQuery<DateTimeOffset>($"SELECT clock_timestamp() AS \"Value\"").ToListAsync(cancellationToken))[0];

    /// <inheritdoc/>
    public Task<Dictionary<Guid, AddedJob>> AddNewJobsAsync(
        DsdeDbContext context,
        IReadOnlyList<GenerationJob> jobs,
        CancellationToken cancellationToken
    ) => PostgresClaims.AddAsync(ConnectionOf(context), jobs, cancellationToken);

    /// <inheritdoc/>
    public Task AddNewBatchesAsync(DsdeDbContext context, IReadOnlyList<Guid> batchIds, CancellationToken cancellationToken)
    {
        var ids = batchIds.Order().ToArray();

        // The first condition is met without waiting for whoever changes the batch just now; the second also without seeing who adds it.
        return context.Database.ExecuteSqlAsync(
            $"""
            INSERT INTO generation_batches (batch_id)
            SELECT id FROM unnest({ids}) AS id WHERE NOT EXISTS (SELECT FROM generation_batches WHERE batch_id = id)
            ON CONFLICT DO NOTHING
            """,
            cancellationToken
        );
    }

    /// <inheritdoc/>
    public async Task<Dictionary<Guid, GenerationJob>> LockJobsAsync(
        DsdeDbContext context,
        IReadOnlyList<Guid> jobIds,
        CancellationToken cancellationToken
    )
    {
        var ids = jobIds.ToArray();
        await context.Database.ExecuteSqlAsync(
            $"SELECT FROM generation_jobs WHERE job_id = ANY({ids}) ORDER BY job_id FOR NO KEY UPDATE",
            cancellationToken
        );
        return await context.Jobs.Where(job => ids.Contains(job.JobId)).ToDictionaryAsync(job => job.JobId, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<Dictionary<Guid, GenerationBatch>> LockBatchesAsync(
        DsdeDbContext context,
        IReadOnlyList<Guid> batchIds,
        CancellationToken cancellationToken
    )
    {
        var ids = batchIds.ToArray();
        await context.Database.ExecuteSqlAsync(
            $"SELECT FROM generation_batches WHERE batch_id = ANY({ids}) ORDER BY batch_id FOR NO KEY UPDATE",
            cancellationToken
        );
        return await context
            .Batches.Where(batch => ids.Contains(batch.BatchId))
            .ToDictionaryAsync(batch => batch.BatchId, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<LeaseNotice>> RenewAsync(
        DsdeDbContext context,
        IReadOnlyList<JobLease> leases,
        DateTimeOffset until,
        CancellationToken cancellationToken
    ) => PostgresClaims.RenewAsync(ConnectionOf(context), leases, until, cancellationToken);

    /// <inheritdoc/>
    public Task<Dictionary<int, Guid?>> EndJobsAsync(
        DsdeDbContext context,
        IReadOnlyList<JobEnd> ends,
        DateTimeOffset now,
        CancellationToken cancellationToken
    ) => PostgresEnds.EndAsync(ConnectionOf(context), ends, now, cancellationToken);

    /// <inheritdoc/>
    public Task AddTracesAsync(DsdeDbContext context, IReadOnlyList<JobTraceRow> traces, CancellationToken cancellationToken) =>
        TraceCopy.WriteAsync(ConnectionOf(context), traces, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<BatchProgress>> CountEndsAsync(
        DsdeDbContext context,
        IReadOnlyList<BatchEnds> ends,
        DateTimeOffset now,
        CancellationToken cancellationToken
    ) => PostgresEnds.CountAsync(ConnectionOf(context), ends, now, cancellationToken);

    /// <inheritdoc/>
    public Task EraseAsync(DsdeDbContext context, IReadOnlyList<Guid> jobIds, CancellationToken cancellationToken) =>
        PostgresEnds.EraseAsync(ConnectionOf(context), [.. jobIds.Order()], cancellationToken);

    /// <summary>Open as long as the context's transaction.</summary>
    private static NpgsqlConnection ConnectionOf(DsdeDbContext context) => (NpgsqlConnection)context.Database.GetDbConnection();
}
