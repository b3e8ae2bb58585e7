namespace Dsde.Persistence.Storage.Postgres;

/// <summary>Traces, by binary COPY.</summary>
internal sealed partial class PostgresDialect
{
    /// <summary>The columns of traces, in the order in which they are written.</summary>
    public const string TraceColumns = """
        job_id, choice, stored_at, batch_id, workload, model, state, worker_id, worker_start_id, level, policy, is_guarded, proposer,
        sampling_mode, seed, temperature, top_p, top_k, target_model, draft_model, iterations, speculating_iterations, prompt_tokens,
        cached_prompt_tokens, completion_tokens, proposed, accepted, lookup_proposed, lookup_accepted, forced, mean_kld, max_kld,
        variance_kld, mean_beta, mean_draft_entropy, calibration_max_accepted, calibration_max_length, waiting_ms, prefill_ms, others_ms,
        draft_ms, verify_ms, sampling_ms, rest_ms, total_ms, first_token_ms, prefill_share_ms, draft_share_ms, verify_share_ms,
        sampling_share_ms, iteration_length, iteration_accepted, iteration_wish, iteration_allowed, iteration_decided_by,
        iteration_predicted_length, iteration_scale_factor, iteration_wvir, iteration_cap, iteration_batch_size, iteration_batch_rows,
        iteration_draft_ms, iteration_verify_ms, iteration_proposed_by, iteration_forced, proposal_kld, proposal_beta,
        proposal_draft_entropy, proposal_on_path, token_margin, token_draft_match, survey_length, survey_accepted, survey_kld,
        survey_beta, survey_draft_entropy
        """;

    private const int TraceColumnCount = 76;

    /// <inheritdoc/>
    public async Task AddTracesAsync(
        DsdeDbContext context,
        IReadOnlyList<NewTrace> traces,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        using var rows = new CopyBuffer();
        foreach (var trace in traces)
        {
            Write(rows, trace, now);
        }

        rows.End();
        await using var copy = await ConnectionOf(context)
            .BeginRawBinaryCopyAsync($"COPY job_traces ({TraceColumns}) FROM STDIN (FORMAT BINARY)", cancellationToken);
        await copy.WriteAsync(rows.Written, cancellationToken);
    }

    private static void Write(CopyBuffer rows, NewTrace added, DateTimeOffset now)
    {
        var (lease, choice, trace, job, state) = added;
        rows.StartRow(TraceColumnCount);
        rows.Write(lease.JobId);
        rows.Write(choice);
        rows.Write(now);
        rows.Write(job.BatchId);
        rows.Write(job.Workload);
        rows.Write(job.Model);
        rows.Write(DsdeDbContext.ToText(state));
        rows.Write(lease.WorkerId);
        rows.Write(job.WorkerStartId);
        rows.Write(trace.Level);
        rows.Write(trace.Policy);
        rows.Write(trace.IsGuarded);
        rows.Write(trace.Proposer);
        rows.Write(trace.SamplingMode);
        rows.Write(trace.Seed);
        rows.Write(trace.Temperature);
        rows.Write(trace.TopP);
        rows.Write(trace.TopK);
        rows.Write(trace.TargetModel);
        rows.Write(trace.DraftModel);
        rows.Write(trace.Iterations);
        rows.Write(trace.SpeculatingIterations);
        rows.Write(trace.PromptTokens);
        rows.Write(trace.CachedPromptTokens);
        rows.Write(trace.CompletionTokens);
        rows.Write(trace.Proposed);
        rows.Write(trace.Accepted);
        rows.Write(trace.LookupProposed);
        rows.Write(trace.LookupAccepted);
        rows.Write(trace.Forced);
        rows.Write(trace.MeanKld);
        rows.Write(trace.MaxKld);
        rows.Write(trace.VarianceKld);
        rows.Write(trace.MeanBeta);
        rows.Write(trace.MeanDraftEntropy);
        rows.Write(trace.CalibrationMaxAccepted);
        rows.Write(trace.CalibrationMaxLength);
        rows.Write(trace.WaitingMs);
        rows.Write(trace.PrefillMs);
        rows.Write(trace.OthersMs);
        rows.Write(trace.DraftMs);
        rows.Write(trace.VerifyMs);
        rows.Write(trace.SamplingMs);
        rows.Write(trace.RestMs);
        rows.Write(trace.TotalMs);
        rows.Write(trace.FirstTokenMs);
        rows.Write(trace.PrefillShareMs);
        rows.Write(trace.DraftShareMs);
        rows.Write(trace.VerifyShareMs);
        rows.Write(trace.SamplingShareMs);
        rows.Write(trace.IterationLength);
        rows.Write(trace.IterationAccepted);
        rows.Write(trace.IterationWish);
        rows.Write(trace.IterationAllowed);
        rows.Write(trace.IterationDecidedBy);
        rows.Write(trace.IterationPredictedLength);
        rows.Write(trace.IterationScaleFactor);
        rows.Write(trace.IterationWvir);
        rows.Write(trace.IterationCap);
        rows.Write(trace.IterationBatchSize);
        rows.Write(trace.IterationBatchRows);
        rows.Write(trace.IterationDraftMs);
        rows.Write(trace.IterationVerifyMs);
        rows.Write(trace.IterationProposedBy);
        rows.Write(trace.IterationForced);
        rows.Write(trace.ProposalKld);
        rows.Write(trace.ProposalBeta);
        rows.Write(trace.ProposalDraftEntropy);
        rows.Write(trace.ProposalOnPath);
        rows.Write(trace.TokenMargin);
        rows.Write(trace.TokenDraftMatch);
        rows.Write(trace.SurveyLength);
        rows.Write(trace.SurveyAccepted);
        rows.Write(trace.SurveyKld);
        rows.Write(trace.SurveyBeta);
        rows.Write(trace.SurveyDraftEntropy);
    }
}
