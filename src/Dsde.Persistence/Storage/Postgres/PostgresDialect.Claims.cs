using Dsde.Persistence.Jobs;
using Npgsql;
using NpgsqlTypes;

namespace Dsde.Persistence.Storage.Postgres;

/// <summary>New claims and renewals: one statement for any number.</summary>
internal sealed partial class PostgresDialect
{
    // The batch is looked for first, because adding what is there already would wait for whoever changes it.
    private const string Add = """
        WITH added AS (
            INSERT INTO generation_jobs (job_id, batch_id, custom_id, model, workload, request, request_hash, trace_parent, state,
                worker_id, worker_start_id, lease_token, lease_until, attempt, is_started, submitted_at, created_at, started_at,
                cancel_requested_at)
            SELECT job_id, batch_id, custom_id, model, workload, request::json, request_hash, trace_parent, state,
                worker_id, worker_start_id, lease_token, clock_timestamp() + lease, attempt, is_started, submitted_at, created_at,
                started_at, cancel_requested_at
            FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) AS rows (job_id, batch_id,
                custom_id, model, workload, request, request_hash, trace_parent, state, worker_id, worker_start_id, lease_token, lease,
                attempt, is_started, submitted_at, created_at, started_at, cancel_requested_at)
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
    private const string WithoutWaitingForDisk = "SET LOCAL synchronous_commit = off";

    // Leases are by the database's clock, which all workers share: one whose own is ahead must not take what is alive.
    // Whether a job is held is looked up without locking it, so that one that is locked is not taken for lost: mostly this very worker just
    // writes about it, and the next renewal has it again. Nobody who keeps one locked for longer may let the leases of others run out.
    private const string Renew = """
        WITH held AS (
            SELECT job.job_id, job.batch_id, job.cancel_requested_at
            FROM generation_jobs job
            JOIN unnest($1, $2) AS lease (job_id, token) ON job.job_id = lease.job_id AND job.lease_token = lease.token
            WHERE job.state = 'running'),
        unlocked AS (
            SELECT job.job_id
            FROM generation_jobs job
            JOIN unnest($1, $2) AS lease (job_id, token) ON job.job_id = lease.job_id AND job.lease_token = lease.token
            WHERE job.state = 'running' FOR NO KEY UPDATE OF job SKIP LOCKED),
        renewed AS (
            UPDATE generation_jobs job SET lease_until = clock_timestamp() + $3 FROM unlocked WHERE job.job_id = unlocked.job_id)
        SELECT lease.job_id, held.job_id IS NULL
        FROM unnest($1) AS lease (job_id) LEFT JOIN held USING (job_id) LEFT JOIN generation_batches batch USING (batch_id)
        WHERE held.job_id IS NULL OR held.cancel_requested_at IS NOT NULL OR batch.cancel_requested_at IS NOT NULL
        """;

    /// <inheritdoc/>
    public async Task<Dictionary<Guid, AddedJob>> AddNewJobsAsync(
        DsdeDbContext context,
        IReadOnlyList<NewJob> jobs,
        bool isDurable,
        CancellationToken cancellationToken
    )
    {
        NewJob[] rows = [.. jobs.OrderBy(job => job.Row.JobId)]; // two that add the same jobs wait for each other in one order
        var adding = new NpgsqlBatchCommand(Add);
        var columns = adding.Parameters;
        columns.AddColumn(rows, NpgsqlDbType.Uuid, job => job.Row.JobId);
        columns.AddColumn(rows, NpgsqlDbType.Uuid, job => job.Row.BatchId);
        columns.AddColumn(rows, NpgsqlDbType.Text, job => job.Row.CustomId);
        columns.AddColumn(rows, NpgsqlDbType.Text, job => job.Row.Model);
        columns.AddColumn(rows, NpgsqlDbType.Text, job => job.Row.Workload);
        columns.AddColumn(rows, NpgsqlDbType.Text, job => job.Row.Request);
        columns.AddColumn(rows, NpgsqlDbType.Bytea, job => job.Row.RequestHash);
        columns.AddColumn(rows, NpgsqlDbType.Text, job => job.Row.TraceParent);
        columns.AddColumn(rows, NpgsqlDbType.Text, job => DsdeDbContext.ToText(job.Row.State));
        columns.AddColumn(rows, NpgsqlDbType.Text, job => job.Row.WorkerId);
        columns.AddColumn(rows, NpgsqlDbType.Uuid, job => job.Row.WorkerStartId);
        columns.AddColumn(rows, NpgsqlDbType.Uuid, job => job.Row.LeaseToken);
        columns.AddColumn(rows, NpgsqlDbType.Interval, job => job.Lease);
        columns.AddColumn(rows, NpgsqlDbType.Integer, job => job.Row.Attempt);
        columns.AddColumn(rows, NpgsqlDbType.Boolean, job => job.Row.IsStarted);
        columns.AddColumn(rows, NpgsqlDbType.TimestampTz, job => job.Row.SubmittedAt);
        columns.AddColumn(rows, NpgsqlDbType.TimestampTz, job => job.Row.CreatedAt);
        columns.AddColumn(rows, NpgsqlDbType.TimestampTz, job => job.Row.StartedAt);
        columns.AddColumn(rows, NpgsqlDbType.TimestampTz, job => job.Row.CancelRequestedAt);
        await using var statements = new NpgsqlBatch(ConnectionOf(context));
        if (!isDurable)
        {
            statements.BatchCommands.Add(new(WithoutWaitingForDisk));
        }

        if (rows.Length > 1)
        {
            statements.BatchCommands.Add(new(WithoutLongWaits));
        }

        statements.BatchCommands.Add(adding);
        await using var reader = await statements.ExecuteReaderAsync(cancellationToken);
        var added = new Dictionary<Guid, AddedJob>(rows.Length);
        while (await reader.ReadAsync(cancellationToken))
        {
            added.Add(reader.GetGuid(0), new AddedJob(reader.GetBoolean(1), reader.GetBoolean(2)));
        }

        await ReadRestAsync(reader, cancellationToken);
        return added;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<LeaseNotice>> RenewAsync(
        DsdeDbContext context,
        IReadOnlyList<JobLease> leases,
        TimeSpan duration,
        CancellationToken cancellationToken
    )
    {
        JobLease[] rows = [.. leases];
        await using var command = new NpgsqlCommand(Renew, ConnectionOf(context));
        command.Parameters.AddColumn(rows, NpgsqlDbType.Uuid, lease => lease.JobId);
        command.Parameters.AddColumn(rows, NpgsqlDbType.Uuid, lease => lease.Token);
        command.Parameters.Add(duration, NpgsqlDbType.Interval);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var notices = new List<LeaseNotice>();
        while (await reader.ReadAsync(cancellationToken))
        {
            notices.Add(new LeaseNotice(reader.GetGuid(0), reader.GetBoolean(1) ? LeaseNoticeKind.Lost : LeaseNoticeKind.CancelRequested));
        }

        await ReadRestAsync(reader, cancellationToken);
        return notices;
    }
}
