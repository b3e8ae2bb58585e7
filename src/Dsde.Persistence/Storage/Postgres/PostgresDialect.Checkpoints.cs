using Dsde.Persistence.Jobs;
using Npgsql;
using NpgsqlTypes;

namespace Dsde.Persistence.Storage.Postgres;

/// <summary>Checkpoints of any number of jobs in one statement, which reads no row of a job.</summary>
internal sealed partial class PostgresDialect
{
    private const string Save = """
        WITH held AS (
            SELECT job.job_id, job.lease_token
            FROM generation_jobs job
            JOIN unnest($1, $2) AS lease (job_id, token) ON job.job_id = lease.job_id AND job.lease_token = lease.token
            WHERE job.state = 'running' ORDER BY job.job_id FOR NO KEY UPDATE OF job),
        saved AS (
            INSERT INTO job_checkpoints (job_id, choice, token_count, state, stored_at)
            SELECT row.job_id, row.choice, row.token_count, row.state, $8
            FROM unnest($3, $4, $5, $6, $7) AS row (job_id, token, choice, token_count, state)
            JOIN held ON held.job_id = row.job_id AND held.lease_token = row.token
            ON CONFLICT (job_id, choice) DO UPDATE
            SET token_count = excluded.token_count, state = excluded.state, stored_at = excluded.stored_at)
        SELECT lease_token FROM held
        """;

    /// <inheritdoc/>
    public async Task<IReadOnlySet<Guid>> SaveCheckpointsAsync(
        DsdeDbContext context,
        IReadOnlyList<HeldCheckpoints> saves,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        JobLease[] leases = [.. saves.Select(save => save.Lease).Distinct()];

        // A statement writes a row once: of one that is saved twice the later counts.
        (JobLease Lease, JobCheckpoint Checkpoint)[] rows =
        [
            .. saves
                .SelectMany(save => save.Checkpoints, (save, checkpoint) => (save.Lease, checkpoint))
                .Reverse()
                .DistinctBy(row => (row.Lease, row.checkpoint.Choice)),
        ];
        var saving = new NpgsqlBatchCommand(Save);
        var columns = saving.Parameters;
        columns.AddColumn(leases, NpgsqlDbType.Uuid, lease => lease.JobId);
        columns.AddColumn(leases, NpgsqlDbType.Uuid, lease => lease.Token);
        columns.AddColumn(rows, NpgsqlDbType.Uuid, row => row.Lease.JobId);
        columns.AddColumn(rows, NpgsqlDbType.Uuid, row => row.Lease.Token);
        columns.AddColumn(rows, NpgsqlDbType.Integer, row => row.Checkpoint.Choice);
        columns.AddColumn(rows, NpgsqlDbType.Integer, row => row.Checkpoint.TokenCount);
        columns.AddColumn(rows, NpgsqlDbType.Bytea, row => row.Checkpoint.State);
        columns.Add(now, NpgsqlDbType.TimestampTz);
        await using var statements = new NpgsqlBatch(ConnectionOf(context));
        if (leases.Length > 1)
        {
            statements.BatchCommands.Add(new(WithoutLongWaits));
        }

        statements.BatchCommands.Add(saving);
        await using var reader = await statements.ExecuteReaderAsync(cancellationToken);
        var held = new HashSet<Guid>();
        while (await reader.ReadAsync(cancellationToken))
        {
            held.Add(reader.GetGuid(0));
        }

        await ReadRestAsync(reader, cancellationToken);
        return held;
    }
}
