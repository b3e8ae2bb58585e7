using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;

namespace Dsde.Persistence.Storage;

/// <summary>Between traces and their rows.</summary>
internal static class TraceMapping
{
    public static JobTraceRow ToRow(JobLease lease, int choice, JobTrace trace, DateTimeOffset storedAt) =>
        new()
        {
            JobId = lease.JobId,
            Choice = choice,
            StoredAt = storedAt,
            WorkerId = lease.WorkerId,
            Policy = trace.Policy,
            SamplingMode = trace.SamplingMode,
            Seed = trace.Seed,
            Temperature = trace.Temperature,
            TopP = trace.TopP,
            TopK = trace.TopK,
            TargetModel = trace.TargetModel,
            DraftModel = trace.DraftModel,
            Iterations = trace.Iterations,
            PromptTokens = trace.PromptTokens,
            CompletionTokens = trace.CompletionTokens,
            Proposed = trace.Proposed,
            Accepted = trace.Accepted,
            MeanKld = trace.MeanKld,
            MaxKld = trace.MaxKld,
            VarianceKld = trace.VarianceKld,
            CalibrationMaxAccepted = trace.CalibrationMaxAccepted,
            CalibrationMaxLength = trace.CalibrationMaxLength,
            WaitingMs = trace.WaitingMs,
            PrefillMs = trace.PrefillMs,
            DraftMs = trace.DraftMs,
            VerifyMs = trace.VerifyMs,
            SamplingMs = trace.SamplingMs,
            TotalMs = trace.TotalMs,
            IterationLength = trace.IterationLength,
            IterationAccepted = trace.IterationAccepted,
            IterationPredictedLength = trace.IterationPredictedLength,
            IterationScaleFactor = trace.IterationScaleFactor,
            IterationWvir = trace.IterationWvir,
            IterationCap = trace.IterationCap,
            IterationBatchSize = trace.IterationBatchSize,
            IterationDraftMs = trace.IterationDraftMs,
            IterationVerifyMs = trace.IterationVerifyMs,
            ProposalKld = trace.ProposalKld,
            ProposalBeta = trace.ProposalBeta,
            ProposalDraftEntropy = trace.ProposalDraftEntropy,
            ProposalOnPath = trace.ProposalOnPath,
            TokenMargin = trace.TokenMargin,
            TokenDraftMatch = trace.TokenDraftMatch,
        };

    /// <summary>Counts and times only, as a projection the database can do.</summary>
    public static IQueryable<KeyValuePair<Guid, TraceSummary>> SelectSummaries(IQueryable<JobTraceRow> rows) =>
        rows.Select(row => new KeyValuePair<Guid, TraceSummary>(
            row.JobId,
            new TraceSummary
            {
                Policy = row.Policy,
                SamplingMode = row.SamplingMode,
                Seed = row.Seed,
                Temperature = row.Temperature,
                TopP = row.TopP,
                TopK = row.TopK,
                TargetModel = row.TargetModel,
                DraftModel = row.DraftModel,
                Iterations = row.Iterations,
                PromptTokens = row.PromptTokens,
                CompletionTokens = row.CompletionTokens,
                Proposed = row.Proposed,
                Accepted = row.Accepted,
                MeanKld = row.MeanKld,
                MaxKld = row.MaxKld,
                VarianceKld = row.VarianceKld,
                CalibrationMaxAccepted = row.CalibrationMaxAccepted,
                CalibrationMaxLength = row.CalibrationMaxLength,
                WaitingMs = row.WaitingMs,
                PrefillMs = row.PrefillMs,
                DraftMs = row.DraftMs,
                VerifyMs = row.VerifyMs,
                SamplingMs = row.SamplingMs,
                TotalMs = row.TotalMs,
            }
        ));
}
