namespace Dsde.Persistence.Views;

/// <summary>What every view of traces has of the trace <c>t</c> itself.</summary>
internal static class TraceColumns
{
    /// <summary>Whose it is, and under what it ran.</summary>
    public const string All = """
        t.job_id, t.choice, t.stored_at, t.batch_id, t.workload, t.model, t.state, t.worker_id, t.worker_start_id, t.policy, t.is_guarded,
        t.proposer, t.sampling_mode, t.temperature, t.target_model, t.draft_model
        """;

    /// <summary>What the output alone has cost the machine, ms.</summary>
    public const string MachineMs = "t.prefill_share_ms + t.draft_share_ms + t.verify_share_ms + t.sampling_share_ms";

    /// <summary>Tokens that the draft proposed: those that have a KLD.</summary>
    public const string Drafted = "(t.proposed - t.lookup_proposed)";

    /// <summary>WVIR of an iteration where it was measured: 0 stands for too few KLDs, 20 for no long variance to divide by.</summary>
    public const string MeasuredWvir = "NULLIF(NULLIF(t.wvir, 0), 20)";

    /// <summary>By what comparisons of like with like are grouped.</summary>
    public const string Group = "t.workload, t.policy, t.proposer, t.target_model, t.draft_model, t.temperature";
}
