namespace Dsde.Persistence.Views;

/// <summary>The analysts' views on SQLite: the same columns as on PostgreSQL, but for the median, which SQLite has not.</summary>
internal static class SqliteViews
{
    private const string Earlier = "OVER (PARTITION BY t.job_id, t.choice ORDER BY i.key ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)";

    private const string Hour = "strftime('%Y-%m-%d %H:00:00', t.stored_at)";

    private const string GroupNames = "workload, policy, proposer, target_model, draft_model, temperature";

    /// <summary>What the format forced in an iteration; it is not stored where that was nothing.</summary>
    private static readonly string Forced = $"COALESCE({At("iteration_forced")}, 0)";

    /// <summary>Where each iteration begins: tokens and proposals before it.</summary>
    private static readonly string Steps = $"""
        SELECT t.job_id, t.choice, i.key AS number, i.value AS length, {At("iteration_accepted")} AS accepted,
               {Forced} AS forced, COALESCE(sum({Forced} + {At("iteration_accepted")} + 1) {Earlier}, 0) AS tokens_before,
               COALESCE(sum(i.value) {Earlier}, 0) AS proposals_before
        FROM job_traces t, json_each(t.iteration_length) i
        """;

    /// <summary>Name and query of each, in order of creation.</summary>
    public static readonly View[] All =
    [
        new(
            "iteration_telemetry",
            $"""
            WITH steps AS ({Steps})
            SELECT {TraceColumns.All}, i.number + 1 AS iteration, 2 + i.tokens_before AS position, i.length AS speculation_length,
                   i.accepted, i.forced, {AtNumber("iteration_wish")} AS wish, {AtNumber("iteration_allowed")} AS allowed,
                   {LengthDeciders.ToSql(AtNumber("iteration_decided_by"))} AS decided_by,
                   {AtNumber("iteration_predicted_length")} AS predicted_length, {AtNumber("iteration_scale_factor")} AS scale_factor,
                   {AtNumber("iteration_wvir")} AS wvir, {AtNumber("iteration_cap")} AS cap,
                   {AtNumber("iteration_batch_size")} AS batch_size, {AtNumber("iteration_batch_rows")} AS batch_rows,
                   {AtNumber("iteration_draft_ms")} AS draft_ms, {AtNumber("iteration_verify_ms")} AS verify_ms,
                   {Proposers.ToSql(AtNumber("iteration_proposed_by"))} AS proposed_by,
                   {MeanOf("proposal_kld")} AS mean_kld, {MeanOf("proposal_beta")} AS mean_beta,
                   {MeanOf("proposal_draft_entropy")} AS mean_draft_entropy
            FROM steps i JOIN job_traces t ON t.job_id = i.job_id AND t.choice = i.choice
            """
        ),
        new(
            "token_telemetry",
            $"""
            WITH steps AS ({Steps})
            SELECT {TraceColumns.All}, s.number + 1 AS iteration, i.key - s.proposals_before + 1 AS depth,
                   s.tokens_before + s.forced + i.key - s.proposals_before + 2 AS position, i.key + 1 AS proposal,
                   i.key - s.proposals_before < s.accepted AS is_accepted, {At("proposal_on_path")} AS on_path, i.value AS kld,
                   {At("proposal_beta")} AS beta, {At("proposal_draft_entropy")} AS draft_entropy
            FROM steps s JOIN job_traces t ON t.job_id = s.job_id AND t.choice = s.choice
            JOIN json_each(t.proposal_kld) i ON i.key >= s.proposals_before AND i.key < s.proposals_before + s.length
            """
        ),
        new("acceptance_by_policy", Acceptance("t.policy")),
        new("acceptance_by_workload", Acceptance("t.workload")),
        new("acceptance_by_group", Acceptance(TraceColumns.Group)),
        new(
            "signal_correlation",
            $"""
            WITH steps AS MATERIALIZED (
                SELECT {TraceColumns.Group}, t.job_id, t.choice, {TraceColumns.MeasuredWvir} AS wvir, t.scale_factor,
                       t.mean_kld, t.mean_beta, t.mean_draft_entropy,
                       1.0 * t.accepted / t.speculation_length AS acceptance
                FROM iteration_telemetry t WHERE t.speculation_length > 0),
            pairs AS ({SignalPairs.ToUnion($"{TraceColumns.Group}, t.job_id, t.choice", "steps")}),
            ranked AS (
                SELECT t.*, {RankOf("x")} AS rank_x, {RankOf("y")} AS rank_y FROM pairs t WHERE t.x IS NOT NULL AND t.y IS NOT NULL),
            summed AS (
                SELECT {GroupNames}, signal, outcome, count(DISTINCT job_id || '/' || choice) AS outputs, count(*) AS n,
                       {Correlation("x", "y")} AS r, {Correlation("rank_x", "rank_y")} AS rho
                FROM ranked GROUP BY {GroupNames}, signal, outcome)
            SELECT {GroupNames}, signal, outcome, outputs, n, r AS pearson, {CorrelationInterval.ToSql("r", "n", -1)} AS pearson_low,
                   {CorrelationInterval.ToSql("r", "n", 1)} AS pearson_high, rho AS spearman,
                   {CorrelationInterval.ToSql("rho", "n", -1)} AS spearman_low, {CorrelationInterval.ToSql("rho", "n", 1)} AS spearman_high
            FROM summed
            """
        ),
        new(
            "worker_throughput",
            $"""
            WITH hours AS (
                SELECT t.worker_id, t.worker_start_id, {Hour} AS hour, sum(t.choice = 0 AND t.state = 'completed') AS jobs,
                       count(DISTINCT CASE WHEN t.state = 'cancelled' THEN t.job_id END) AS cancelled_jobs, count(*) AS choices,
                       sum(CASE WHEN t.choice = 0 THEN t.prompt_tokens END) AS prompt_tokens,
                       sum(t.completion_tokens) AS completion_tokens, sum(t.iterations) AS iterations, avg(t.total_ms) AS mean_total_ms,
                       sum({TraceColumns.MachineMs}) / 1000 AS busy_seconds
                FROM job_traces t GROUP BY t.worker_id, t.worker_start_id, {Hour}),
            present AS (
                SELECT h.*, w.host,
                       (min(julianday(COALESCE(w.ended_at, w.seen_at)), julianday(h.hour, '+1 hour'))
                           - max(julianday(w.started_at), julianday(h.hour))) * 86400 AS seconds
                FROM hours h LEFT JOIN workers w ON w.worker_start_id = h.worker_start_id)
            SELECT worker_id, worker_start_id, host, hour, jobs, cancelled_jobs, choices, prompt_tokens, completion_tokens, iterations,
                   mean_total_ms, busy_seconds, CASE WHEN seconds > 0 THEN seconds END AS present_seconds,
                   completion_tokens / NULLIF(busy_seconds, 0) AS tokens_per_busy_second,
                   CASE WHEN seconds > 0 THEN completion_tokens / seconds END AS tokens_per_present_second
            FROM present
            """
        ),
        new(
            "output_latency",
            $"""
            SELECT {TraceColumns.All}, j.custom_id, j.attempt, j.submitted_at, j.created_at, j.started_at, j.ended_at,
                   max({Milliseconds("j.created_at", "j.submitted_at")}, 0) AS queue_ms,
                   max({Milliseconds("j.ended_at", "j.created_at")} - t.total_ms, 0) AS outside_ms,
                   t.waiting_ms, t.prefill_ms, t.others_ms, t.draft_ms, t.verify_ms, t.sampling_ms, t.rest_ms, t.total_ms,
                   t.first_token_ms, {Milliseconds(
                "j.ended_at",
                "min(COALESCE(j.submitted_at, j.created_at), j.created_at)"
            )} AS end_to_end_ms,
                   {TraceColumns.MachineMs} AS machine_ms
            FROM generation_jobs j JOIN job_traces t ON t.job_id = j.job_id AND t.stored_at = j.ended_at
            """
        ),
        new(
            "job_attempts",
            """
            SELECT job_id, reopenings, attempt, worker_id, worker_start_id, started_at, ended_at, outcome, tokens_at_start, is_started,
                   failure_code
            FROM earlier_attempts
            UNION ALL
            SELECT job_id, reopenings, attempt, worker_id, worker_start_id, started_at, ended_at, state, tokens_at_start,
                   CASE WHEN ended_at IS NULL THEN is_started END, failure_code
            FROM generation_jobs WHERE attempt > 0 AND state <> 'queued'
            """
        ),
    ];

    private static string At(string series) => $"json_extract(t.{series}, '$[' || i.key || ']')";

    private static string AtNumber(string series) => $"json_extract(t.{series}, '$[' || i.number || ']')";

    private static string MeanOf(string series) =>
        $"(SELECT avg(p.value) FROM json_each(t.{series}) p WHERE p.key >= i.proposals_before AND p.key < i.proposals_before + i.length)";

    private static string Milliseconds(string to, string from) => $"(julianday({to}) - julianday({from})) * 86400000";

    /// <summary>Equal values share the mean of their ranks.</summary>
    private static string RankOf(string value) =>
        $"rank() OVER (PARTITION BY {GroupNames}, signal, outcome ORDER BY {value}) "
        + $"+ (count(*) OVER (PARTITION BY {GroupNames}, signal, outcome, {value}) - 1) / 2.0";

    /// <summary>Pearson's coefficient; null without spread.</summary>
    private static string Correlation(string x, string y) =>
        $"({Covariance(x, y)}) / NULLIF(sqrt(max({Covariance(x, x)}, 0)) * sqrt(max({Covariance(y, y)}, 0)), 0)";

    private static string Covariance(string x, string y) => $"avg({x} * {y}) - avg({x}) * avg({y})";

    private static string Acceptance(string group) =>
        $"""
            SELECT {group}, sum(t.choice = 0) AS jobs, count(*) AS choices, sum(t.completion_tokens) AS completion_tokens,
                   sum(t.iterations) AS iterations, sum(t.proposed) AS proposed, sum(t.accepted) AS accepted,
                   sum(t.lookup_proposed) AS lookup_proposed, sum(t.lookup_accepted) AS lookup_accepted, sum(t.forced) AS forced,
                   1.0 * sum(t.accepted) / NULLIF(sum(t.proposed), 0) AS acceptance_rate,
                   avg(1.0 * t.accepted / NULLIF(t.proposed, 0)) AS mean_job_acceptance_rate,
                   1.0 * sum(t.completion_tokens - 1) / NULLIF(sum(t.iterations), 0) AS block_efficiency,
                   1.0 * sum(t.mean_kld * {TraceColumns.Drafted}) / NULLIF(sum({TraceColumns.Drafted}), 0) AS mean_kld,
                   1.0 * sum(t.mean_beta * {TraceColumns.Drafted}) / NULLIF(sum({TraceColumns.Drafted}), 0) AS mean_beta,
                   sum({TraceColumns.MachineMs}) / 1000 AS machine_seconds,
                   sum(t.completion_tokens) * 1000 / NULLIF(sum({TraceColumns.MachineMs}), 0) AS tokens_per_machine_second
            FROM job_traces t WHERE t.state = 'completed' GROUP BY {group}
            """;
}
