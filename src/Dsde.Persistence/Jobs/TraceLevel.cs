namespace Dsde.Persistence.Jobs;

/// <summary>How much of a trace is stored: detail against space.</summary>
public static class TraceLevel
{
    /// <summary>Counts, means and times of the output; no series.</summary>
    public const string Summary = "summary";

    /// <summary>The series of iterations besides.</summary>
    public const string Iterations = "iterations";

    /// <summary>The series of proposals and tokens besides: everything.</summary>
    public const string Tokens = "tokens";

    /// <summary>A trace without what is not to be stored.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such level.</exception>
    public static JobTrace Reduce(JobTrace trace, string level)
    {
        ArgumentNullException.ThrowIfNull(trace);
        return level switch
        {
            Tokens => trace with { Level = level },
            Iterations => WithoutTokens(trace) with { Level = level },
            Summary => WithoutIterations(WithoutTokens(trace)) with { Level = level },
            _ => throw new ArgumentOutOfRangeException(nameof(level), level, $"Give {Summary}, {Iterations} or {Tokens}."),
        };
    }

    private static JobTrace WithoutTokens(JobTrace trace) =>
        trace with
        {
            ProposalKld = null,
            ProposalBeta = null,
            ProposalDraftEntropy = null,
            ProposalOnPath = null,
            TokenMargin = null,
            TokenDraftMatch = null,
        };

    private static JobTrace WithoutIterations(JobTrace trace) =>
        trace with
        {
            IterationLength = null,
            IterationAccepted = null,
            IterationWish = null,
            IterationAllowed = null,
            IterationDecidedBy = null,
            IterationPredictedLength = null,
            IterationScaleFactor = null,
            IterationWvir = null,
            IterationCap = null,
            IterationBatchSize = null,
            IterationBatchRows = null,
            IterationDraftMs = null,
            IterationVerifyMs = null,
        };
}
