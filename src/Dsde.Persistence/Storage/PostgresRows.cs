using Dsde.Persistence.Entities;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;

namespace Dsde.Persistence.Storage;

/// <summary>On PostgreSQL, where transactions run side by side: rows are locked one by one, and sets of them are written in one statement.</summary>
internal sealed class PostgresRows : IRows
{
    private const string AddJobs = """
        INSERT INTO generation_jobs (job_id, batch_id, custom_id, model, workload, request, request_hash, trace_parent, state, worker_id, lease_token, lease_until, attempt,
            created_at, started_at, cancel_requested_at)
        SELECT j, b, c, m, w, r::json, h, p, s, o, t, u, a, n, d, x
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) AS rows (j, b, c, m, w, r, h, p, s, o, t, u, a, n, d, x)
        ON CONFLICT DO NOTHING RETURNING job_id
        """;

    /// <inheritdoc/>
    public async Task<HashSet<Guid>> AddNewJobsAsync(DsdeDbContext context, IReadOnlyList<GenerationJob> jobs, CancellationToken cancellationToken)
    {
        var rows = jobs.OrderBy(job => job.JobId).ToArray(); // two that add the same jobs wait for each other in one order
        await using var command = new NpgsqlCommand(AddJobs, await OpenAsync(context, cancellationToken));
        Add(rows, job => job.JobId, NpgsqlDbType.Uuid);
        Add(rows, job => job.BatchId, NpgsqlDbType.Uuid);
        Add(rows, job => job.CustomId, NpgsqlDbType.Text);
        Add(rows, job => job.Model, NpgsqlDbType.Text);
        Add(rows, job => job.Workload, NpgsqlDbType.Text);
        Add(rows, job => job.Request, NpgsqlDbType.Text);
        Add(rows, job => job.RequestHash, NpgsqlDbType.Bytea);
        Add(rows, job => job.TraceParent, NpgsqlDbType.Text);
        Add(rows, job => DsdeDbContext.ToText(job.State), NpgsqlDbType.Text);
        Add(rows, job => job.WorkerId, NpgsqlDbType.Text);
        Add(rows, job => job.LeaseToken, NpgsqlDbType.Uuid);
        Add(rows, job => job.LeaseUntil, NpgsqlDbType.TimestampTz);
        Add(rows, job => job.Attempt, NpgsqlDbType.Integer);
        Add(rows, job => job.CreatedAt, NpgsqlDbType.TimestampTz);
        Add(rows, job => job.StartedAt, NpgsqlDbType.TimestampTz);
        Add(rows, job => job.CancelRequestedAt, NpgsqlDbType.TimestampTz);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var added = new HashSet<Guid>();
        while (await reader.ReadAsync(cancellationToken))
        {
            added.Add(reader.GetGuid(0));
        }

        return added;

        void Add<T>(GenerationJob[] source, Func<GenerationJob, T> value, NpgsqlDbType type) =>
            command.Parameters.Add(new NpgsqlParameter<T[]> { TypedValue = Array.ConvertAll(source, job => value(job)), NpgsqlDbType = NpgsqlDbType.Array | type });
    }

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
            cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<Dictionary<Guid, GenerationJob>> LockJobsAsync(DsdeDbContext context, IReadOnlyList<Guid> jobIds, CancellationToken cancellationToken)
    {
        var ids = jobIds.ToArray();
        await context.Database.ExecuteSqlAsync($"SELECT FROM generation_jobs WHERE job_id = ANY({ids}) ORDER BY job_id FOR NO KEY UPDATE", cancellationToken);
        return await context.Jobs.Where(job => ids.Contains(job.JobId)).ToDictionaryAsync(job => job.JobId, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<Dictionary<Guid, GenerationBatch>> LockBatchesAsync(DsdeDbContext context, IReadOnlyList<Guid> batchIds, CancellationToken cancellationToken)
    {
        var ids = batchIds.ToArray();
        await context.Database.ExecuteSqlAsync($"SELECT FROM generation_batches WHERE batch_id = ANY({ids}) ORDER BY batch_id FOR NO KEY UPDATE", cancellationToken);
        return await context.Batches.Where(batch => ids.Contains(batch.BatchId)).ToDictionaryAsync(batch => batch.BatchId, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task AddTracesAsync(DsdeDbContext context, IReadOnlyList<JobTraceRow> traces, CancellationToken cancellationToken)
        => await TraceCopy.WriteAsync(context, await OpenAsync(context, cancellationToken), traces, cancellationToken);

    private static async Task<NpgsqlConnection> OpenAsync(DsdeDbContext context, CancellationToken cancellationToken)
    {
        await context.Database.OpenConnectionAsync(cancellationToken);
        return (NpgsqlConnection)context.Database.GetDbConnection();
    }
}
