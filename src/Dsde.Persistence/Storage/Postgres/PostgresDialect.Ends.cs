using Dsde.Persistence.Jobs;
using Npgsql;
using NpgsqlTypes;

namespace Dsde.Persistence.Storage.Postgres;

/// <summary>Ends: one statement for any number of jobs, one for their batches.</summary>
internal sealed partial class PostgresDialect
{
    private const string End = """
        WITH ended AS (
            UPDATE generation_jobs job
            SET state = row.state, ended_at = $1, lease_until = NULL, is_started = false, is_alone = false,
                failure_code = row.failure_code, failure_message = row.failure_message, failure_retryable = row.failure_retryable,
                cancel_reason = row.cancel_reason, text = row.text, finish_reason = row.finish_reason,
                prompt_tokens = row.prompt_tokens, completion_tokens = row.completion_tokens,
                token_ids = $13[row.token_ids_first:row.token_ids_last],
                prompt_token_ids = $16[row.prompt_token_ids_first:row.prompt_token_ids_last],
                token_log_probabilities = $19[row.token_log_probabilities_first:row.token_log_probabilities_last],
                top_token_ids = $22[row.top_token_ids_first:row.top_token_ids_last],
                top_log_probabilities = $25[row.top_log_probabilities_first:row.top_log_probabilities_last],
                token_bytes = row.token_bytes
            FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $14, $15, $17, $18, $20, $21, $23, $24, $26, $27, $28)
                WITH ORDINALITY
                AS row (job_id, lease_token, state, failure_code, failure_message, failure_retryable, cancel_reason, text, finish_reason,
                    prompt_tokens, completion_tokens, token_ids_first, token_ids_last, prompt_token_ids_first, prompt_token_ids_last,
                    token_log_probabilities_first, token_log_probabilities_last, top_token_ids_first, top_token_ids_last,
                    top_log_probabilities_first, top_log_probabilities_last, token_bytes, position)
            WHERE job.job_id = row.job_id AND job.lease_token = row.lease_token AND job.state = 'running'
            RETURNING row.position, job.batch_id, job.workload, job.model, job.worker_start_id)
        SELECT position, batch_id, workload, model, worker_start_id FROM ended
        """;

    // A statement of its own, which sees what was saved while the first one waited for the job's lock.
    private const string RemoveCheckpoints = """
        DELETE FROM job_checkpoints checkpoint USING generation_jobs job
        WHERE checkpoint.job_id = ANY($1) AND job.job_id = checkpoint.job_id AND job.ended_at IS NOT NULL
        """;

    private const string LockBatches = "SELECT FROM generation_batches WHERE batch_id = ANY($1) ORDER BY batch_id FOR NO KEY UPDATE";

    private const string Count = """
        UPDATE generation_batches batch
        SET completed_count = completed_count + row.completed, failed_count = failed_count + row.failed,
            cancelled_count = cancelled_count + row.cancelled,
            completed_at = CASE WHEN completed_count + failed_count + cancelled_count < job_count
                AND completed_count + failed_count + cancelled_count + row.completed + row.failed + row.cancelled >= job_count
                THEN $5 ELSE completed_at END
        FROM unnest($1, $2, $3, $4) AS row (batch_id, completed, failed, cancelled)
        WHERE batch.batch_id = row.batch_id
        RETURNING batch.batch_id, job_count, completed_count, failed_count, cancelled_count, announced_at IS NOT NULL, completed_at,
            reopenings,
            completed_count + failed_count + cancelled_count >= job_count
                AND completed_count + failed_count + cancelled_count - row.completed - row.failed - row.cancelled < job_count
        """;

    private const string EraseJob = """
        UPDATE generation_jobs SET text_hash = sha256(convert_to(text, 'UTF8')), text = NULL, token_ids = NULL, prompt_token_ids = NULL,
            token_log_probabilities = NULL, top_token_ids = NULL, top_log_probabilities = NULL, token_bytes = NULL
        WHERE job_id = ANY($1) AND ended_at IS NOT NULL AND text IS NOT NULL
        """;

    private const string EraseChoices = """
        UPDATE job_choices choice SET text_hash = sha256(convert_to(choice.text, 'UTF8')), text = NULL, token_ids = NULL,
            prompt_token_ids = NULL, token_log_probabilities = NULL, top_token_ids = NULL, top_log_probabilities = NULL, token_bytes = NULL
        FROM generation_jobs job
        WHERE choice.job_id = ANY($1) AND choice.text IS NOT NULL AND job.job_id = choice.job_id AND job.ended_at IS NOT NULL
        """;

    /// <inheritdoc/>
    public async Task<Dictionary<int, EndedJob>> EndJobsAsync(
        DsdeDbContext context,
        IReadOnlyList<JobEnd> ends,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        JobEnd[] rows = [.. ends];
        await using var statements = new NpgsqlBatch(ConnectionOf(context));
        if (rows.Length > 1)
        {
            // In order of ids, as everybody locks jobs; an UPDATE that joins promises none.
            statements.BatchCommands.Add(new(WithoutLongWaits));
            statements.BatchCommands.Add(Lock(LockJobs, rows.Select(end => end.Lease.JobId)));
        }

        statements.BatchCommands.Add(new(End));
        AddColumns(statements.BatchCommands[^1].Parameters, rows, now);
        statements.BatchCommands.Add(Lock(RemoveCheckpoints, rows.Where(HasDoneWithCheckpoints).Select(end => end.Lease.JobId)));
        await using var reader = await statements.ExecuteReaderAsync(cancellationToken);
        if (rows.Length > 1)
        {
            await reader.NextResultAsync(cancellationToken);
        }

        var ended = new Dictionary<int, EndedJob>(rows.Length);
        while (await reader.ReadAsync(cancellationToken))
        {
            ended.Add(
                (int)reader.GetInt64(0) - 1,
                new EndedJob(
                    reader.IsDBNull(1) ? null : reader.GetGuid(1),
                    reader.IsDBNull(2) ? null : reader.GetString(2),
                    reader.IsDBNull(3) ? null : reader.GetString(3),
                    reader.IsDBNull(4) ? null : reader.GetGuid(4)
                )
            );
        }

        await ReadRestAsync(reader, cancellationToken);
        return ended;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<BatchProgress>> CountEndsAsync(
        DsdeDbContext context,
        IReadOnlyList<BatchEnds> ends,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        BatchEnds[] rows = [.. ends];
        await using var statements = new NpgsqlBatch(ConnectionOf(context));
        if (rows.Length > 1)
        {
            statements.BatchCommands.Add(Lock(LockBatches, rows.Select(row => row.BatchId)));
        }

        var counting = new NpgsqlBatchCommand(Count);
        counting.Parameters.AddColumn(rows, NpgsqlDbType.Uuid, row => row.BatchId);
        counting.Parameters.AddColumn(rows, NpgsqlDbType.Integer, row => row.Completed);
        counting.Parameters.AddColumn(rows, NpgsqlDbType.Integer, row => row.Failed);
        counting.Parameters.AddColumn(rows, NpgsqlDbType.Integer, row => row.Cancelled);
        counting.Parameters.Add(now, NpgsqlDbType.TimestampTz);
        statements.BatchCommands.Add(counting);
        await using var reader = await statements.ExecuteReaderAsync(cancellationToken);
        if (rows.Length > 1)
        {
            await reader.NextResultAsync(cancellationToken);
        }

        var completed = new List<BatchProgress>();
        while (await reader.ReadAsync(cancellationToken))
        {
            if (!reader.IsDBNull(8) && reader.GetBoolean(8))
            {
                completed.Add(
                    new BatchProgress(
                        reader.GetGuid(0),
                        reader.GetInt32(1),
                        Running: 0,
                        reader.GetInt32(2),
                        reader.GetInt32(3),
                        reader.GetInt32(4),
                        reader.GetBoolean(5),
                        reader.GetFieldValue<DateTimeOffset>(6)
                    )
                    {
                        Reopenings = reader.GetInt32(7),
                    }
                );
            }
        }

        await ReadRestAsync(reader, cancellationToken);
        return completed;
    }

    /// <inheritdoc/>
    public async Task EraseAsync(DsdeDbContext context, IReadOnlyList<Guid> jobIds, CancellationToken cancellationToken)
    {
        await using var statements = new NpgsqlBatch(ConnectionOf(context)) { BatchCommands = { new(EraseJob), new(EraseChoices) } };
        foreach (NpgsqlBatchCommand statement in statements.BatchCommands)
        {
            statement.Parameters.Add(jobIds.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Uuid);
        }

        await statements.ExecuteNonQueryAsync(cancellationToken);
    }

    private static void AddColumns(NpgsqlParameterCollection columns, JobEnd[] rows, DateTimeOffset now)
    {
        columns.Add(now, NpgsqlDbType.TimestampTz);
        columns.AddColumn(rows, NpgsqlDbType.Uuid, end => end.Lease.JobId);
        columns.AddColumn(rows, NpgsqlDbType.Uuid, end => end.Lease.Token);
        columns.AddColumn(rows, NpgsqlDbType.Text, end => DsdeDbContext.ToText(JobMapping.StateOf(end)));
        columns.AddColumn(rows, NpgsqlDbType.Text, end => (end as FailedJobEnd)?.Failure.Code);
        columns.AddColumn(rows, NpgsqlDbType.Text, end => (end as FailedJobEnd)?.Failure.Message);
        columns.AddColumn(rows, NpgsqlDbType.Boolean, end => (end as FailedJobEnd)?.Failure.Retryable);
        columns.AddColumn(rows, NpgsqlDbType.Text, end => (end as CancelledJobEnd)?.Reason);
        columns.AddColumn(rows, NpgsqlDbType.Text, end => FirstOutput(end)?.Text);
        columns.AddColumn(rows, NpgsqlDbType.Text, end => FirstOutput(end)?.FinishReason);
        columns.AddColumn(rows, NpgsqlDbType.Integer, end => FirstOutput(end)?.PromptTokens);
        columns.AddColumn(rows, NpgsqlDbType.Integer, end => FirstOutput(end)?.CompletionTokens);
        columns.AddArrays(rows, NpgsqlDbType.Integer, end => FirstOutput(end)?.TokenIds);
        columns.AddArrays(rows, NpgsqlDbType.Integer, end => FirstOutput(end)?.PromptTokenIds);
        columns.AddArrays(rows, NpgsqlDbType.Real, end => FirstOutput(end)?.TokenLogProbabilities);
        columns.AddArrays(rows, NpgsqlDbType.Integer, end => FirstOutput(end)?.TopTokenIds);
        columns.AddArrays(rows, NpgsqlDbType.Real, end => FirstOutput(end)?.TopLogProbabilities);
        columns.AddColumn(rows, NpgsqlDbType.Bytea, end => FirstOutput(end)?.TokenBytes);
    }

    private static JobOutput? FirstOutput(JobEnd end) => end.Outputs.Count == 0 ? null : end.Outputs[0];

    private static bool HasDoneWithCheckpoints(JobEnd end) => end is not FailedJobEnd { KeepsCheckpoints: true };
}
