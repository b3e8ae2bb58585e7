using Dsde.Persistence.Jobs;
using Npgsql;
using NpgsqlTypes;

namespace Dsde.Persistence.Storage;

/// <summary>Ends on PostgreSQL: one statement for any number of jobs, one for their batches.</summary>
internal static class PostgresEnds
{
    private const string End = """
        WITH ended AS (
            UPDATE generation_jobs job
            SET state = row.state, ended_at = $1, lease_until = NULL, is_alone = false, failure_code = row.failure_code, failure_message = row.failure_message,
                failure_retryable = row.failure_retryable, cancel_reason = row.cancel_reason, text = row.text, finish_reason = row.finish_reason,
                prompt_tokens = row.prompt_tokens, completion_tokens = row.completion_tokens,
                token_ids = $13[row.token_ids_first:row.token_ids_last], prompt_token_ids = $16[row.prompt_token_ids_first:row.prompt_token_ids_last],
                token_log_probabilities = $19[row.token_log_probabilities_first:row.token_log_probabilities_last],
                top_token_ids = $22[row.top_token_ids_first:row.top_token_ids_last],
                top_log_probabilities = $25[row.top_log_probabilities_first:row.top_log_probabilities_last]
            FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $14, $15, $17, $18, $20, $21, $23, $24, $26, $27) WITH ORDINALITY AS row (job_id, lease_token, state,
                failure_code, failure_message, failure_retryable, cancel_reason, text, finish_reason, prompt_tokens, completion_tokens, token_ids_first, token_ids_last,
                prompt_token_ids_first, prompt_token_ids_last, token_log_probabilities_first, token_log_probabilities_last, top_token_ids_first, top_token_ids_last,
                top_log_probabilities_first, top_log_probabilities_last, position)
            WHERE job.job_id = row.job_id AND job.lease_token = row.lease_token AND job.state = 'running'
            RETURNING job.batch_id, row.position)
        SELECT position, batch_id FROM ended
        """;

    // A statement of its own, which sees what was saved while the first one waited for the job's lock.
    private const string RemoveCheckpoints = """
        DELETE FROM job_checkpoints checkpoint USING generation_jobs job
        WHERE checkpoint.job_id = ANY($1) AND job.job_id = checkpoint.job_id AND job.ended_at IS NOT NULL
        """;

    private const string Lock = "SELECT FROM generation_batches WHERE batch_id = ANY($1) ORDER BY batch_id FOR NO KEY UPDATE";

    private const string Count = """
        UPDATE generation_batches batch
        SET completed_count = completed_count + row.completed, failed_count = failed_count + row.failed, cancelled_count = cancelled_count + row.cancelled,
            completed_at = CASE WHEN completed_count + failed_count + cancelled_count < job_count
                AND completed_count + failed_count + cancelled_count + row.completed + row.failed + row.cancelled >= job_count THEN $5 ELSE completed_at END
        FROM unnest($1, $2, $3, $4) AS row (batch_id, completed, failed, cancelled)
        WHERE batch.batch_id = row.batch_id
        RETURNING batch.batch_id, job_count, completed_count, failed_count, cancelled_count, announced_at IS NOT NULL, completed_at,
            completed_count + failed_count + cancelled_count >= job_count
                AND completed_count + failed_count + cancelled_count - row.completed - row.failed - row.cancelled < job_count
        """;

    private const string EraseJobs = """
        UPDATE generation_jobs SET text_hash = sha256(convert_to(text, 'UTF8')), text = NULL, token_ids = NULL, prompt_token_ids = NULL, token_log_probabilities = NULL,
            top_token_ids = NULL, top_log_probabilities = NULL
        WHERE job_id = ANY($1) AND ended_at IS NOT NULL AND text IS NOT NULL
        """;

    private const string EraseChoices = """
        UPDATE job_choices choice SET text_hash = sha256(convert_to(choice.text, 'UTF8')), text = NULL, token_ids = NULL, token_log_probabilities = NULL,
            top_token_ids = NULL, top_log_probabilities = NULL
        FROM generation_jobs job
        WHERE choice.job_id = ANY($1) AND choice.text IS NOT NULL AND job.job_id = choice.job_id AND job.ended_at IS NOT NULL
        """;

    public static async Task<Dictionary<int, Guid?>> EndAsync(
        NpgsqlConnection connection,
        IReadOnlyList<JobEnd> ends,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        // In order of ids, as everybody locks jobs.
        (JobEnd End, JobOutput? Output, int Position)[] rows =
        [
            .. ends.Select((end, position) => (End: end, end.Outputs is [var output, ..] ? output : null, position))
                .OrderBy(row => row.End.Lease.JobId),
        ];
        await using var statements = new NpgsqlBatch(connection) { BatchCommands = { new(End), new(RemoveCheckpoints) } };
        statements.BatchCommands[1].Parameters.AddColumn(rows, NpgsqlDbType.Uuid, row => row.End.Lease.JobId);
        var columns = statements.BatchCommands[0].Parameters;
        columns.Add(now, NpgsqlDbType.TimestampTz);
        columns.AddColumn(rows, NpgsqlDbType.Uuid, row => row.End.Lease.JobId);
        columns.AddColumn(rows, NpgsqlDbType.Uuid, row => row.End.Lease.Token);
        columns.AddColumn(rows, NpgsqlDbType.Text, row => DsdeDbContext.ToText(JobMapping.StateOf(row.End)));
        columns.AddColumn(rows, NpgsqlDbType.Text, row => (row.End as FailedJobEnd)?.Failure.Code);
        columns.AddColumn(rows, NpgsqlDbType.Text, row => (row.End as FailedJobEnd)?.Failure.Message);
        columns.AddColumn(rows, NpgsqlDbType.Boolean, row => (row.End as FailedJobEnd)?.Failure.Retryable);
        columns.AddColumn(rows, NpgsqlDbType.Text, row => (row.End as CancelledJobEnd)?.Reason);
        columns.AddColumn(rows, NpgsqlDbType.Text, row => row.Output?.Text);
        columns.AddColumn(rows, NpgsqlDbType.Text, row => row.Output?.FinishReason);
        columns.AddColumn(rows, NpgsqlDbType.Integer, row => row.Output?.PromptTokens);
        columns.AddColumn(rows, NpgsqlDbType.Integer, row => row.Output?.CompletionTokens);
        columns.AddArrays(rows, NpgsqlDbType.Integer, row => row.Output?.TokenIds);
        columns.AddArrays(rows, NpgsqlDbType.Integer, row => row.Output?.PromptTokenIds);
        columns.AddArrays(rows, NpgsqlDbType.Real, row => row.Output?.TokenLogProbabilities);
        columns.AddArrays(rows, NpgsqlDbType.Integer, row => row.Output?.TopTokenIds);
        columns.AddArrays(rows, NpgsqlDbType.Real, row => row.Output?.TopLogProbabilities);
        await using var reader = await statements.ExecuteReaderAsync(cancellationToken);
        var batches = new Dictionary<int, Guid?>(rows.Length);
        while (await reader.ReadAsync(cancellationToken))
        {
            batches.Add(rows[reader.GetInt64(0) - 1].Position, reader.IsDBNull(1) ? null : reader.GetGuid(1));
        }

        return batches;
    }

    public static async Task<IReadOnlyList<BatchProgress>> CountAsync(
        NpgsqlConnection connection,
        IReadOnlyList<BatchEnds> ends,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        BatchEnds[] rows = [.. ends];
        await using var statements = new NpgsqlBatch(connection);
        if (rows.Length > 1)
        {
            var locking = new NpgsqlBatchCommand(Lock);
            locking.Parameters.AddColumn(rows, NpgsqlDbType.Uuid, row => row.BatchId);
            statements.BatchCommands.Add(locking);
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
            if (!reader.IsDBNull(7) && reader.GetBoolean(7))
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
                );
            }
        }

        return completed;
    }

    public static async Task EraseAsync(NpgsqlConnection connection, Guid[] jobIds, CancellationToken cancellationToken)
    {
        await using var statements = new NpgsqlBatch(connection);
        foreach (var sql in new[] { EraseJobs, EraseChoices })
        {
            var statement = new NpgsqlBatchCommand(sql);
            statement.Parameters.Add(jobIds, NpgsqlDbType.Array | NpgsqlDbType.Uuid);
            statements.BatchCommands.Add(statement);
        }

        await statements.ExecuteNonQueryAsync(cancellationToken);
    }
}
