namespace Dsde.Persistence.Views;

/// <summary>
/// The analysts' views on PostgreSQL. What a released migration has made stays as it is: a change is a new one that replaces the view.
/// </summary>
internal static class PostgreSqlViews
{
    private const string Jobs = "count(DISTINCT t.job_id) AS jobs, count(*) AS choices";

    /// <summary>Name and query of each, in order of creation.</summary>
    public static readonly (string Name, string Sql)[] All =
    [
        (
            "iteration_telemetry",
            $"""
            SELECT t.job_id, t.choice, j.batch_id, j.workload, t.policy, t.sampling_mode, i.iteration, i.speculation_length, i.accepted,
                   i.wish, i.allowed, {LengthDeciders.ToSql("i.decided_by")} AS decided_by,
                   i.predicted_length, i.scale_factor, i.wvir, i.cap, i.batch_size, i.draft_ms, i.verify_ms
            FROM job_traces t
            JOIN generation_jobs j USING (job_id)
            CROSS JOIN LATERAL unnest(t.iteration_length, t.iteration_accepted, t.iteration_wish, t.iteration_allowed,
                t.iteration_decided_by, t.iteration_predicted_length, t.iteration_scale_factor, t.iteration_wvir, t.iteration_cap,
                t.iteration_batch_size, t.iteration_draft_ms, t.iteration_verify_ms) WITH ORDINALITY
                AS i (speculation_length, accepted, wish, allowed, decided_by, predicted_length, scale_factor, wvir, cap, batch_size,
                draft_ms, verify_ms, iteration)
            """
        ),
        (
            "token_telemetry",
            $"""
            SELECT t.job_id, t.choice, j.batch_id, j.workload, t.policy, t.sampling_mode,
                   p.proposal, p.kld, p.beta, p.draft_entropy, p.on_path
            FROM job_traces t
            JOIN generation_jobs j USING (job_id)
            CROSS JOIN LATERAL unnest(t.proposal_kld, t.proposal_beta, t.proposal_draft_entropy, t.proposal_on_path)
                WITH ORDINALITY AS p (kld, beta, draft_entropy, on_path, proposal)
            """
        ),
        ("acceptance_by_policy", Acceptance("t.policy")),
        ("acceptance_by_workload", Acceptance("j.workload")),
        (
            "signal_correlation",
            """
            SELECT COALESCE(p.workload, i.workload) AS workload, COALESCE(p.policy, i.policy) AS policy,
                   p.proposals, p.kld_beta, p.draft_entropy_beta, i.iterations, i.wvir_acceptance, i.scale_factor_acceptance
            FROM (SELECT workload, policy, count(*) AS proposals, corr(kld, beta) AS kld_beta,
                         corr(draft_entropy, beta) AS draft_entropy_beta
                  FROM token_telemetry WHERE on_path GROUP BY workload, policy) p
            LEFT JOIN (SELECT workload, policy, count(*) AS iterations,
                         corr(wvir, accepted::double precision / speculation_length) AS wvir_acceptance,
                         corr(scale_factor, accepted::double precision / speculation_length) AS scale_factor_acceptance
                  FROM iteration_telemetry WHERE speculation_length > 0 AND wvir IS NOT NULL GROUP BY workload, policy) i
              ON i.workload IS NOT DISTINCT FROM p.workload AND i.policy = p.policy
            """
        ),
        (
            "worker_throughput",
            $"""
            SELECT worker_id, date_trunc('hour', stored_at) AS hour, {Jobs}, sum(prompt_tokens) AS prompt_tokens,
                   sum(completion_tokens) AS completion_tokens, sum(iterations) AS iterations, avg(total_ms) AS mean_total_ms
            FROM job_traces t GROUP BY worker_id, date_trunc('hour', stored_at)
            """
        ),
    ];

    private static string Acceptance(string group) =>
        $"""
            SELECT {group}, {Jobs}, sum(t.completion_tokens) AS completion_tokens, sum(t.iterations) AS iterations,
                   sum(t.proposed) AS proposed, sum(t.accepted) AS accepted,
                   sum(t.accepted)::double precision / NULLIF(sum(t.proposed), 0) AS acceptance_rate,
                   avg(t.accepted::double precision / NULLIF(t.proposed, 0)) AS mean_job_acceptance_rate,
                   sum(t.completion_tokens - 1)::double precision / NULLIF(sum(t.iterations), 0) AS block_efficiency,
                   sum(t.mean_kld * t.proposed)::double precision / NULLIF(sum(t.proposed), 0) AS mean_kld,
                   percentile_cont(0.5) WITHIN GROUP (ORDER BY t.total_ms) AS median_total_ms
            FROM job_traces t JOIN generation_jobs j USING (job_id) GROUP BY {group}
            """;
}
