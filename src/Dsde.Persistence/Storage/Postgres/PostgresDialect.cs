using Dsde.Persistence.Entities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using NpgsqlTypes;

namespace Dsde.Persistence.Storage.Postgres;

/// <summary>
/// On PostgreSQL. Rows that several transactions may want are locked in order of their ids, so that nobody waits in a circle, and many of
/// them are written in one statement.
/// </summary>
internal sealed partial class PostgresDialect : IDialect
{
    /// <summary>
    /// For what many write together: whoever keeps a row locked for longer holds up only those that need it, because the others are then
    /// written without it (<see cref="GroupCommit{TItem,TResult}"/>).
    /// </summary>
    private const string WithoutLongWaits = "SET LOCAL lock_timeout = '3s'";

    private const int LongQuerySeconds = 600;

    // Twice that, as HangingClients has it: the server's bound is for clients that stand still.
    private const string WithLongStatements = "SET LOCAL statement_timeout = '20min'";

    private const string LockJobs = "SELECT FROM generation_jobs WHERE job_id = ANY($1) ORDER BY job_id FOR NO KEY UPDATE";

    /// <inheritdoc/>
    /// <remarks>
    /// COMMIT of a transaction in which a statement has failed rolls back and reports no error. The statement before it does, and costs no
    /// round trip of its own.
    /// </remarks>
    public async Task CommitAsync(DsdeDbContext context, IDbContextTransaction transaction, CancellationToken cancellationToken)
    {
        await using var statements = new NpgsqlBatch(ConnectionOf(context)) { BatchCommands = { new("SELECT 1"), new("COMMIT") } };
        await statements.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<DateTimeOffset> ReadClockAsync(DsdeDbContext context, CancellationToken cancellationToken) =>
        (await context.Database.SqlQuery<DateTimeOffset>($"SELECT clock_timestamp() AS \"Value\"").ToListAsync(cancellationToken))[0];

    /// <inheritdoc/>
    /// <remarks>A connection string that allows as much, or that sets no limit, keeps what it has.</remarks>
    public async Task AllowLongQueriesAsync(DsdeDbContext context, CancellationToken cancellationToken)
    {
        if (ConnectionOf(context).CommandTimeout is > 0 and < LongQuerySeconds)
        {
            context.Database.SetCommandTimeout(LongQuerySeconds);
            await context.Database.ExecuteSqlRawAsync(WithLongStatements, cancellationToken);
        }
    }

    /// <inheritdoc/>
    /// <remarks>
    /// The first condition is met without waiting for whoever changes the batch just now; the second also without seeing who adds it.
    /// </remarks>
    public Task AddNewBatchAsync(DsdeDbContext context, Guid batchId, CancellationToken cancellationToken) =>
        context.Database.ExecuteSqlAsync(
            $"""
            INSERT INTO generation_batches (batch_id)
            SELECT {batchId} WHERE NOT EXISTS (SELECT FROM generation_batches WHERE batch_id = {batchId})
            ON CONFLICT DO NOTHING
            """,
            cancellationToken
        );

    /// <inheritdoc/>
    public Task LockJobAsync(DsdeDbContext context, Guid jobId, CancellationToken cancellationToken) =>
        context.Database.ExecuteSqlAsync($"SELECT FROM generation_jobs WHERE job_id = {jobId} FOR NO KEY UPDATE", cancellationToken);

    /// <inheritdoc/>
    public async Task<GenerationBatch?> LockBatchAsync(DsdeDbContext context, Guid batchId, CancellationToken cancellationToken)
    {
        await context.Database.ExecuteSqlAsync(
            $"SELECT FROM generation_batches WHERE batch_id = {batchId} FOR NO KEY UPDATE",
            cancellationToken
        );
        return await context.Batches.SingleOrDefaultAsync(batch => batch.BatchId == batchId, cancellationToken);
    }

    /// <summary>Open as long as the context's transaction.</summary>
    private static NpgsqlConnection ConnectionOf(DsdeDbContext context) => (NpgsqlConnection)context.Database.GetDbConnection();

    private static NpgsqlBatchCommand Lock(string statement, IEnumerable<Guid> ids)
    {
        var locking = new NpgsqlBatchCommand(statement);
        locking.Parameters.Add(ids.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Uuid);
        return locking;
    }

    /// <summary>
    /// Reads what is left, so that the failure of a later statement is seen: who disposes a reader is not told that it ran out of time.
    /// </summary>
    private static async Task ReadRestAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        while (await reader.NextResultAsync(cancellationToken)) { }
    }
}
