using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;
using Npgsql;
using NpgsqlTypes;

namespace Dsde.Persistence.Storage;

/// <summary>New claims and renewals on PostgreSQL: one statement for any number.</summary>
internal static class PostgresClaims
{
    // The batch is looked for first, because adding what is there already would wait for whoever changes it.
    private const string Add = """
        WITH added AS (
            INSERT INTO generation_jobs (job_id, batch_id, custom_id, model, workload, request, request_hash, trace_parent, state, worker_id, lease_token, lease_until, attempt,
                created_at, started_at, cancel_requested_at)
            SELECT job_id, batch_id, custom_id, model, workload, request::json, request_hash, trace_parent, state, worker_id, lease_token, lease_until, attempt,
                created_at, started_at, cancel_requested_at
            FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) AS rows (job_id, batch_id, custom_id, model, workload, request, request_hash,
                trace_parent, state, worker_id, lease_token, lease_until, attempt, created_at, started_at, cancel_requested_at)
            ON CONFLICT DO NOTHING RETURNING job_id, batch_id),
        noted AS (
            INSERT INTO generation_batches (batch_id)
            SELECT DISTINCT batch_id FROM added
            WHERE batch_id IS NOT NULL AND NOT EXISTS (SELECT FROM generation_batches known WHERE known.batch_id = added.batch_id)
            ORDER BY batch_id
            ON CONFLICT DO NOTHING)
        SELECT added.job_id, batch.cancel_requested_at IS NOT NULL, added.batch_id IS NOT NULL AND batch.job_count IS NULL
        FROM added LEFT JOIN generation_batches batch USING (batch_id)
        """;

    // A claim need not be on disk before the job runs: if the server loses it in a crash, the end finds no claim and is not stored, and the
    // job is claimed anew. What an end's commit waits for includes the claims before it.
    private const string WithoutWaiting = "SET LOCAL synchronous_commit = off";

    private const string Renew = """
        WITH held AS (
            SELECT job.job_id, job.batch_id, job.cancel_requested_at
            FROM generation_jobs job JOIN unnest($1, $2) AS lease (job_id, token) ON job.job_id = lease.job_id AND job.lease_token = lease.token
            WHERE job.state = 'running' ORDER BY job.job_id FOR NO KEY UPDATE OF job),
        renewed AS (UPDATE generation_jobs job SET lease_until = $3 FROM held WHERE job.job_id = held.job_id)
        SELECT lease.job_id, held.job_id IS NULL
        FROM unnest($1) AS lease (job_id) LEFT JOIN held USING (job_id) LEFT JOIN generation_batches batch USING (batch_id)
        WHERE held.job_id IS NULL OR held.cancel_requested_at IS NOT NULL OR batch.cancel_requested_at IS NOT NULL
        """;

    public static async Task<Dictionary<Guid, AddedJob>> AddAsync(
        NpgsqlConnection connection,
        IReadOnlyList<GenerationJob> jobs,
        CancellationToken cancellationToken
    )
    {
        GenerationJob[] rows = [.. jobs.OrderBy(job => job.JobId)]; // two that add the same jobs wait for each other in one order
        var adding = new NpgsqlBatchCommand(Add);
        var columns = adding.Parameters;
        columns.AddColumn(rows, NpgsqlDbType.Uuid, job => job.JobId);
        columns.AddColumn(rows, NpgsqlDbType.Uuid, job => job.BatchId);
        columns.AddColumn(rows, NpgsqlDbType.Text, job => job.CustomId);
        columns.AddColumn(rows, NpgsqlDbType.Text, job => job.Model);
        columns.AddColumn(rows, NpgsqlDbType.Text, job => job.Workload);
        columns.AddColumn(rows, NpgsqlDbType.Text, job => job.Request);
        columns.AddColumn(rows, NpgsqlDbType.Bytea, job => job.RequestHash);
        columns.AddColumn(rows, NpgsqlDbType.Text, job => job.TraceParent);
        columns.AddColumn(rows, NpgsqlDbType.Text, job => DsdeDbContext.ToText(job.State));
        columns.AddColumn(rows, NpgsqlDbType.Text, job => job.WorkerId);
        columns.AddColumn(rows, NpgsqlDbType.Uuid, job => job.LeaseToken);
        columns.AddColumn(rows, NpgsqlDbType.TimestampTz, job => job.LeaseUntil);
        columns.AddColumn(rows, NpgsqlDbType.Integer, job => job.Attempt);
        columns.AddColumn(rows, NpgsqlDbType.TimestampTz, job => job.CreatedAt);
        columns.AddColumn(rows, NpgsqlDbType.TimestampTz, job => job.StartedAt);
        columns.AddColumn(rows, NpgsqlDbType.TimestampTz, job => job.CancelRequestedAt);
        await using var statements = new NpgsqlBatch(connection) { BatchCommands = { new NpgsqlBatchCommand(WithoutWaiting), adding } };
        await using var reader = await statements.ExecuteReaderAsync(cancellationToken);
        var added = new Dictionary<Guid, AddedJob>(rows.Length);
        while (await reader.ReadAsync(cancellationToken))
        {
            added.Add(reader.GetGuid(0), new AddedJob(reader.GetBoolean(1), reader.GetBoolean(2)));
        }

        return added;
    }

    public static async Task<IReadOnlyList<LeaseNotice>> RenewAsync(
        NpgsqlConnection connection,
        IReadOnlyList<JobLease> leases,
        DateTimeOffset until,
        CancellationToken cancellationToken
    )
    {
        JobLease[] rows = [.. leases];
        await using var command = new NpgsqlCommand(Renew, connection);
        command.Parameters.AddColumn(rows, NpgsqlDbType.Uuid, lease => lease.JobId);
        command.Parameters.AddColumn(rows, NpgsqlDbType.Uuid, lease => lease.Token);
        command.Parameters.Add(until, NpgsqlDbType.TimestampTz);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var notices = new List<LeaseNotice>();
        while (await reader.ReadAsync(cancellationToken))
        {
            notices.Add(new LeaseNotice(reader.GetGuid(0), reader.GetBoolean(1) ? LeaseNoticeKind.Lost : LeaseNoticeKind.CancelRequested));
        }

        return notices;
    }
}
