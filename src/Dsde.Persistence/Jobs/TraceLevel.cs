namespace Dsde.Persistence.Jobs;

/// <summary>How much of a trace is stored: detail against space.</summary>
public static class TraceLevel
{
    /// <summary>Counts, means and times of the output; no series.</summary>
    public const string Summary = "summary";

    /// <summary>The series of iterations besides.</summary>
    public const string Iterations = "iterations";

    /// <summary>The series of proposals and tokens besides: everything that happened.</summary>
    public const string Tokens = "tokens";

    /// <summary>
    /// A survey of the output besides: what the draft would have said at every token and behind each of its mistakes, so that any policy
    /// can be replayed. It is made by running the output again.
    /// </summary>
    public const string Replay = "replay";

    /// <summary>A trace without what is not to be stored.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such level.</exception>
    public static JobTrace Reduce(JobTrace trace, string level)
    {
        ArgumentNullException.ThrowIfNull(trace);
        return level switch
        {
            Replay => trace with { Level = trace.SurveyLength is null ? Tokens : level },
            Tokens => WithoutSurvey(trace) with { Level = level },
            Iterations => WithoutTokens(trace) with { Level = level },
            Summary => WithoutIterations(WithoutTokens(trace)) with { Level = level },
            _ => throw new ArgumentOutOfRangeException(nameof(level), level, $"Give {Summary}, {Iterations}, {Tokens} or {Replay}."),
        };
    }

    private static JobTrace WithoutSurvey(JobTrace trace) =>
        trace with
        {
            SurveyLength = null,
            SurveyAccepted = null,
            SurveyKld = null,
            SurveyBeta = null,
            SurveyDraftEntropy = null,
        };

    private static JobTrace WithoutTokens(JobTrace trace) =>
        WithoutSurvey(trace) with
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
            IterationProposedBy = null,
            IterationForced = null,
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
