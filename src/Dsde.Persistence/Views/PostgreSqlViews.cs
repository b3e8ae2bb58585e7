namespace Dsde.Persistence.Views;

/// <summary>
/// The analysts' views on PostgreSQL. What a released migration has made stays as it is: a change is a new one that replaces the view.
/// </summary>
internal static class PostgreSqlViews
{
    // Ordered sets keep an aggregate from running in parallel, which is why there is one of them and no more.
    private const string Median = "percentile_cont(0.5) WITHIN GROUP (ORDER BY t.total_ms)";

    /// <summary>Where each proposal stands: in which iteration, how deep, at which token of the output, and what became of it.</summary>
    private static readonly ViewFunction ProposalPlaces = new(
        "proposal_places",
        "lengths integer[], accepted integer[], forced integer[]",
        """
        RETURNS TABLE (iteration integer, depth integer, "position" integer, is_accepted boolean)
        LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
            SELECT i.iteration::integer, d.depth, (1 + i.tokens_before + COALESCE(i.forced, 0) + d.depth)::integer, d.depth <= i.accepted
            FROM (SELECT s.*, COALESCE(sum(COALESCE(s.forced, 0) + s.accepted + 1) OVER (ORDER BY s.iteration
                         ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS tokens_before
                  FROM unnest($1, $2, $3) WITH ORDINALITY AS s (length, accepted, forced, iteration)) i
            CROSS JOIN LATERAL generate_series(1, i.length) AS d (depth)
            ORDER BY i.iteration, d.depth
        $$
        """
    );

    /// <summary>Correlations over a sample of the outputs of each group, which the same outputs are in every time.</summary>
    private static readonly ViewFunction SignalCorrelations = new(
        "signal_correlations",
        """
        since timestamptz DEFAULT '-infinity', until timestamptz DEFAULT 'infinity', of_workload text DEFAULT NULL,
        of_policy text DEFAULT NULL, of_batch uuid DEFAULT NULL, most_outputs integer DEFAULT 50
        """,
        $"""
        RETURNS TABLE (workload text, policy text, proposer text, target_model text, draft_model text, temperature real, signal text,
            outcome text, outputs bigint, n bigint, pearson double precision, pearson_low double precision, pearson_high double precision,
            spearman double precision, spearman_low double precision, spearman_high double precision)
        LANGUAGE sql STABLE PARALLEL SAFE SET work_mem = '64MB' AS $$
            WITH hashed AS ( -- numbers are sorted several times as fast as texts
                SELECT t.job_id, t.choice, t.stored_at, hashtextextended(t.job_id::text, 0) AS lot,
                       hash_record_extended(ROW({TraceColumns.Group}), 0) AS kind
                FROM job_traces t
                WHERE t.stored_at >= since AND t.stored_at < until AND (of_workload IS NULL OR t.workload = of_workload)
                  AND (of_policy IS NULL OR t.policy = of_policy) AND (of_batch IS NULL OR t.batch_id = of_batch)
                  AND t.proposed > t.lookup_proposed AND t.level <> 'summary'),
            candidates AS (
                SELECT t.*, row_number() OVER (PARTITION BY t.kind ORDER BY t.lot, t.choice) AS place FROM hashed t),
            steps AS MATERIALIZED (
                SELECT {TraceColumns.Group}, c.kind, c.place, {TraceColumns.MeasuredWvir} AS wvir, t.scale_factor,
                       t.mean_kld, t.mean_beta, t.mean_draft_entropy,
                       t.accepted::double precision / t.speculation_length AS acceptance
                FROM candidates c JOIN iteration_telemetry t USING (job_id, choice, stored_at)
                WHERE c.place <= most_outputs AND t.speculation_length > 0),
            pairs AS (
                SELECT t.kind, t.place, v.pair, v.x, v.y
                FROM steps t
                CROSS JOIN LATERAL (VALUES {SignalPairs.ToSql("t")}) AS v (pair, x, y)
                WHERE v.x IS NOT NULL AND v.y IS NOT NULL),
            ranked AS (
                SELECT t.*,
                       rank() OVER (PARTITION BY kind, pair ORDER BY x)
                           + (count(*) OVER (PARTITION BY kind, pair, x) - 1) / 2.0::double precision AS rank_x,
                       rank() OVER (PARTITION BY kind, pair ORDER BY y)
                           + (count(*) OVER (PARTITION BY kind, pair, y) - 1) / 2.0::double precision AS rank_y
                FROM pairs t),
            summed AS (
                SELECT t.kind, t.pair, count(DISTINCT t.place) AS outputs, count(*) AS n,
                       corr(t.y, t.x) AS r, corr(t.rank_y, t.rank_x) AS rho
                FROM ranked t GROUP BY t.kind, t.pair),
            named AS (SELECT DISTINCT s.kind, {TraceColumns.Group.Replace("t.", "s.", StringComparison.Ordinal)} FROM steps s)
            SELECT k.workload, k.policy, k.proposer, k.target_model, k.draft_model, k.temperature, p.signal, p.outcome, t.outputs, t.n,
                   t.r, {CorrelationInterval.ToSql("t.r", "t.n", -1)}, {CorrelationInterval.ToSql("t.r", "t.n", 1)},
                   t.rho, {CorrelationInterval.ToSql("t.rho", "t.n", -1)}, {CorrelationInterval.ToSql("t.rho", "t.n", 1)}
            FROM summed t JOIN named k USING (kind) JOIN (VALUES {SignalPairs.Names}) AS p (pair, signal, outcome) USING (pair)
        $$
        """
    );

    /// <summary>Name and query of each, in order of creation.</summary>
    public static readonly View[] All =
    [
        new(
            "iteration_telemetry",
            $"""
            SELECT {TraceColumns.All}, i.iteration, 2 + COALESCE(i.tokens_before, 0) AS position, i.speculation_length, i.accepted,
                   COALESCE(i.forced, 0) AS forced, i.wish, i.allowed, {LengthDeciders.ToSql("i.decided_by")} AS decided_by,
                   i.predicted_length, i.scale_factor, i.wvir, i.cap, i.batch_size, i.batch_rows, i.draft_ms, i.verify_ms,
                   {Proposers.ToSql("i.proposed_by")} AS proposed_by,
                   {MeanOf("proposal_kld")} AS mean_kld, {MeanOf("proposal_beta")} AS mean_beta,
                   {MeanOf("proposal_draft_entropy")} AS mean_draft_entropy
            FROM job_traces t
            CROSS JOIN LATERAL (
                SELECT s.*, sum(COALESCE(s.forced, 0) + s.accepted + 1) OVER earlier AS tokens_before,
                       sum(s.speculation_length) OVER earlier AS proposals_before
                FROM unnest(t.iteration_length, t.iteration_accepted, t.iteration_wish, t.iteration_allowed, t.iteration_decided_by,
                    t.iteration_predicted_length, t.iteration_scale_factor, t.iteration_wvir, t.iteration_cap, t.iteration_batch_size,
                    t.iteration_batch_rows, t.iteration_draft_ms, t.iteration_verify_ms, t.iteration_proposed_by, t.iteration_forced)
                    WITH ORDINALITY AS s (speculation_length, accepted, wish, allowed, decided_by, predicted_length, scale_factor, wvir,
                    cap, batch_size, batch_rows, draft_ms, verify_ms, proposed_by, forced, iteration)
                WINDOW earlier AS (ORDER BY s.iteration ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) i
            """
        ),
        new(
            "token_telemetry",
            $"""
            SELECT {TraceColumns.All}, p.iteration, p.depth, p.position, p.proposal, p.is_accepted, p.on_path, p.kld, p.beta,
                   p.draft_entropy
            FROM job_traces t
            CROSS JOIN LATERAL ROWS FROM (proposal_places(t.iteration_length, t.iteration_accepted, t.iteration_forced),
                unnest(t.proposal_on_path), unnest(t.proposal_kld), unnest(t.proposal_beta), unnest(t.proposal_draft_entropy))
                WITH ORDINALITY
                AS p (iteration, depth, position, is_accepted, on_path, kld, beta, draft_entropy, proposal)
            WHERE t.proposal_kld IS NOT NULL
            """
        )
        {
            Function = ProposalPlaces,
        },
        new("acceptance_by_policy", Acceptance("t.policy")),
        new("acceptance_by_workload", Acceptance("t.workload")),
        new("acceptance_by_group", Acceptance(TraceColumns.Group)),
        new("signal_correlation", "SELECT * FROM signal_correlations()") { Function = SignalCorrelations },
        new(
            "worker_throughput",
            $"""
            SELECT h.worker_id, h.worker_start_id, w.host, h.hour, h.jobs, h.cancelled_jobs, h.choices, h.prompt_tokens,
                   h.completion_tokens, h.iterations, h.mean_total_ms, h.busy_seconds, p.seconds AS present_seconds,
                   h.completion_tokens / NULLIF(h.busy_seconds, 0) AS tokens_per_busy_second,
                   h.completion_tokens / NULLIF(p.seconds, 0) AS tokens_per_present_second
            FROM (SELECT worker_id, worker_start_id, date_trunc('hour', stored_at) AS hour,
                         count(*) FILTER (WHERE choice = 0 AND state = 'completed') AS jobs,
                         count(DISTINCT job_id) FILTER (WHERE state = 'cancelled') AS cancelled_jobs, count(*) AS choices,
                         sum(prompt_tokens) FILTER (WHERE choice = 0) AS prompt_tokens, sum(completion_tokens) AS completion_tokens,
                         sum(iterations) AS iterations, avg(total_ms) AS mean_total_ms,
                         sum({TraceColumns.MachineMs}) / 1000 AS busy_seconds
                  FROM job_traces t GROUP BY worker_id, worker_start_id, date_trunc('hour', stored_at)) h
            LEFT JOIN workers w USING (worker_start_id)
            LEFT JOIN LATERAL (
                SELECT EXTRACT(epoch FROM LEAST(COALESCE(w.ended_at, w.seen_at), h.hour + interval '1 hour')
                    - GREATEST(w.started_at, h.hour))::double precision) AS p (seconds) ON w.worker_start_id IS NOT NULL AND p.seconds > 0
            """
        ),
        new(
            "output_latency",
            $"""
            SELECT {TraceColumns.All}, j.custom_id, j.attempt, j.submitted_at, j.created_at, j.started_at, j.ended_at,
                   CASE WHEN j.submitted_at IS NOT NULL THEN GREATEST({Milliseconds("j.created_at - j.submitted_at")}, 0) END AS queue_ms,
                   GREATEST({Milliseconds("j.ended_at - j.created_at")} - t.total_ms, 0) AS outside_ms,
                   t.waiting_ms, t.prefill_ms, t.others_ms, t.draft_ms, t.verify_ms, t.sampling_ms, t.rest_ms, t.total_ms,
                   t.first_token_ms,
                   {Milliseconds(
                "j.ended_at - LEAST(j.submitted_at, j.created_at)"
            )} AS end_to_end_ms, {TraceColumns.MachineMs} AS machine_ms
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

    /// <summary>Over the proposals of an iteration; a query of its own for each, which is only run where somebody asks for it.</summary>
    private static string MeanOf(string series) =>
        $"""
            (SELECT avg(p.value) FROM unnest(t.{series}[COALESCE(i.proposals_before, 0) + 1
                : COALESCE(i.proposals_before, 0) + i.speculation_length]) AS p (value))
            """;

    private static string Milliseconds(string interval) => $"(EXTRACT(epoch FROM {interval}) * 1000)::double precision";

    private static string Acceptance(string group) =>
        $"""
            SELECT {group}, count(*) FILTER (WHERE t.choice = 0) AS jobs, count(*) AS choices,
                   sum(t.completion_tokens) AS completion_tokens, sum(t.iterations) AS iterations,
                   sum(t.proposed) AS proposed, sum(t.accepted) AS accepted, sum(t.lookup_proposed) AS lookup_proposed,
                   sum(t.lookup_accepted) AS lookup_accepted, sum(t.forced) AS forced,
                   sum(t.accepted)::double precision / NULLIF(sum(t.proposed), 0) AS acceptance_rate,
                   avg(t.accepted::double precision / NULLIF(t.proposed, 0)) AS mean_job_acceptance_rate,
                   sum(t.completion_tokens - 1)::double precision / NULLIF(sum(t.iterations), 0) AS block_efficiency,
                   sum(t.mean_kld * {TraceColumns.Drafted})::double precision / NULLIF(sum({TraceColumns.Drafted}), 0) AS mean_kld,
                   sum(t.mean_beta * {TraceColumns.Drafted})::double precision / NULLIF(sum({TraceColumns.Drafted}), 0) AS mean_beta,
                   sum({TraceColumns.MachineMs}) / 1000 AS machine_seconds,
                   sum(t.completion_tokens) * 1000 / NULLIF(sum({TraceColumns.MachineMs}), 0) AS tokens_per_machine_second,
                   {Median} AS median_total_ms
            FROM job_traces t WHERE t.state = 'completed' GROUP BY {group}
            """;
}
