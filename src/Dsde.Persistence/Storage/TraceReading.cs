using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Storage;

/// <summary>Traces without their series.</summary>
internal static class TraceReading
{
    /// <summary>
    /// Of some jobs, by job and in the order of their outputs, as a projection the database can do. With the time at which each was stored,
    /// which is the end of its job: a job that was removed without its traces and then ran again has two sets of them.
    /// </summary>
    public static IQueryable<StoredAt> SelectSummaries(DsdeDbContext context, IReadOnlyList<Guid> jobIds) =>
        context
            .Traces.Where(row => jobIds.Contains(EF.Property<Guid>(row, DsdeDbContext.TraceJobId)))
            .OrderBy(row => EF.Property<int>(row, DsdeDbContext.TraceChoice))
            .Select(row => new StoredAt(
                EF.Property<Guid>(row, DsdeDbContext.TraceJobId),
                EF.Property<DateTimeOffset>(row, DsdeDbContext.TraceStoredAt),
                new TraceSummary
                {
                    Level = row.Level,
                    Policy = row.Policy,
                    IsGuarded = row.IsGuarded,
                    Proposer = row.Proposer,
                    SamplingMode = row.SamplingMode,
                    Seed = row.Seed,
                    Temperature = row.Temperature,
                    TopP = row.TopP,
                    TopK = row.TopK,
                    TargetModel = row.TargetModel,
                    DraftModel = row.DraftModel,
                    Iterations = row.Iterations,
                    SpeculatingIterations = row.SpeculatingIterations,
                    PromptTokens = row.PromptTokens,
                    CachedPromptTokens = row.CachedPromptTokens,
                    CompletionTokens = row.CompletionTokens,
                    Proposed = row.Proposed,
                    Accepted = row.Accepted,
                    LookupProposed = row.LookupProposed,
                    LookupAccepted = row.LookupAccepted,
                    Forced = row.Forced,
                    MeanKld = row.MeanKld,
                    MaxKld = row.MaxKld,
                    VarianceKld = row.VarianceKld,
                    MeanBeta = row.MeanBeta,
                    MeanDraftEntropy = row.MeanDraftEntropy,
                    CalibrationMaxAccepted = row.CalibrationMaxAccepted,
                    CalibrationMaxLength = row.CalibrationMaxLength,
                    WaitingMs = row.WaitingMs,
                    PrefillMs = row.PrefillMs,
                    OthersMs = row.OthersMs,
                    DraftMs = row.DraftMs,
                    VerifyMs = row.VerifyMs,
                    SamplingMs = row.SamplingMs,
                    RestMs = row.RestMs,
                    TotalMs = row.TotalMs,
                    FirstTokenMs = row.FirstTokenMs,
                    PrefillShareMs = row.PrefillShareMs,
                    DraftShareMs = row.DraftShareMs,
                    VerifyShareMs = row.VerifyShareMs,
                    SamplingShareMs = row.SamplingShareMs,
                }
            ));

    /// <summary>A trace, whose it is and when it was stored.</summary>
    public sealed record StoredAt(Guid JobId, DateTimeOffset At, TraceSummary Trace);
}
