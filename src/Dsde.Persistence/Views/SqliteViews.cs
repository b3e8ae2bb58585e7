namespace Dsde.Persistence.Views;

/// <summary>The analysts' views on SQLite: the same columns as on PostgreSQL, but for the median, which SQLite has not.</summary>
internal static class SqliteViews
{
    private const string Jobs = "count(DISTINCT t.job_id) AS jobs, count(*) AS choices";

    /// <summary>Name and query of each, in order of creation.</summary>
    public static readonly (string Name, string Sql)[] All =
    [
        (
            "iteration_telemetry",
            $"""
            SELECT t.job_id, t.choice, j.batch_id, j.workload, t.policy, t.sampling_mode, i.key + 1 AS iteration,
                   i.value AS speculation_length,
                   {At("iteration_accepted")} AS accepted, {At("iteration_wish")} AS wish, {At("iteration_allowed")} AS allowed,
                   {LengthDeciders.ToSql(At("iteration_decided_by"))} AS decided_by,
                   {At("iteration_predicted_length")} AS predicted_length,
                   {At("iteration_scale_factor")} AS scale_factor, {At("iteration_wvir")} AS wvir, {At("iteration_cap")} AS cap,
                   {At("iteration_batch_size")} AS batch_size, {At("iteration_draft_ms")} AS draft_ms,
                   {At("iteration_verify_ms")} AS verify_ms
            FROM job_traces t JOIN generation_jobs j ON j.job_id = t.job_id, json_each(t.iteration_length) i
            """
        ),
        (
            "token_telemetry",
            $"""
            SELECT t.job_id, t.choice, j.batch_id, j.workload, t.policy, t.sampling_mode, i.key + 1 AS proposal, i.value AS kld,
                   {At("proposal_beta")} AS beta, {At("proposal_draft_entropy")} AS draft_entropy, {At("proposal_on_path")} AS on_path
            FROM job_traces t JOIN generation_jobs j ON j.job_id = t.job_id, json_each(t.proposal_kld) i
            """
        ),
        ("acceptance_by_policy", Acceptance("t.policy")),
        ("acceptance_by_workload", Acceptance("j.workload")),
        (
            "signal_correlation",
            $"""
            SELECT p.workload, p.policy, p.proposals, p.kld_beta, p.draft_entropy_beta,
                   i.iterations, i.wvir_acceptance, i.scale_factor_acceptance
            FROM (SELECT workload, policy, count(*) AS proposals, {Correlation("kld", "beta")} AS kld_beta,
                         {Correlation("draft_entropy", "beta")} AS draft_entropy_beta
                  FROM token_telemetry WHERE on_path GROUP BY workload, policy) p
            LEFT JOIN (SELECT workload, policy, count(*) AS iterations,
                              {Correlation("wvir", "(1.0 * accepted / speculation_length)")} AS wvir_acceptance,
                              {Correlation("scale_factor", "(1.0 * accepted / speculation_length)")} AS scale_factor_acceptance
                       FROM iteration_telemetry WHERE speculation_length > 0 AND wvir IS NOT NULL GROUP BY workload, policy) i
              ON i.workload IS p.workload AND i.policy = p.policy
            """
        ),
        (
            "worker_throughput",
            $"""
            SELECT worker_id, strftime('%Y-%m-%d %H:00:00', stored_at) AS hour, {Jobs}, sum(prompt_tokens) AS prompt_tokens,
                   sum(completion_tokens) AS completion_tokens, sum(iterations) AS iterations, avg(total_ms) AS mean_total_ms
            FROM job_traces t GROUP BY worker_id, hour
            """
        ),
    ];

    private static string At(string series) => $"json_extract(t.{series}, '$[' || i.key || ']')";

    /// <summary>Pearson's coefficient; null without spread.</summary>
    private static string Correlation(string x, string y) =>
        $"({Covariance(x, y)}) / NULLIF(sqrt(max({Covariance(x, x)}, 0)) * sqrt(max({Covariance(y, y)}, 0)), 0)";

    private static string Covariance(string x, string y) => $"avg({x} * {y}) - avg({x}) * avg({y})";

    private static string Acceptance(string group) =>
        $"""
            SELECT {group}, {Jobs}, sum(t.completion_tokens) AS completion_tokens, sum(t.iterations) AS iterations,
                   sum(t.proposed) AS proposed, sum(t.accepted) AS accepted,
                   1.0 * sum(t.accepted) / NULLIF(sum(t.proposed), 0) AS acceptance_rate,
                   avg(1.0 * t.accepted / NULLIF(t.proposed, 0)) AS mean_job_acceptance_rate,
                   1.0 * sum(t.completion_tokens - 1) / NULLIF(sum(t.iterations), 0) AS block_efficiency,
                   1.0 * sum(t.mean_kld * t.proposed) / NULLIF(sum(t.proposed), 0) AS mean_kld
            FROM job_traces t JOIN generation_jobs j ON j.job_id = t.job_id GROUP BY {group}
            """;
}
