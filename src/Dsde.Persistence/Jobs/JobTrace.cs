namespace Dsde.Persistence.Jobs;

/// <summary>
/// The telemetry of one output of a job: summary and series. A series is null if it was not to be kept (<see cref="TraceSummary.Level"/>).
/// Null within a series: the policy had no such value, or a proposal of lookup has no distribution to measure.
/// </summary>
public sealed record JobTrace : TraceSummary
{
    /// <summary>Per iteration: tokens proposed (k).</summary>
    public int[]? IterationLength { get; init; }

    /// <summary>Per iteration: tokens accepted (a).</summary>
    public int[]? IterationAccepted { get; init; }

    /// <summary>Per iteration: tokens that the policy wished to propose.</summary>
    public int[]? IterationWish { get; init; }

    /// <summary>Per iteration: tokens of these that the cost guard allowed.</summary>
    public int[]? IterationAllowed { get; init; }

    /// <summary>Per iteration: what was decisive; 0 the policy, 1 the guard, 2 its hold-out, 3 a draft that caught up first.</summary>
    public short[]? IterationDecidedBy { get; init; }

    /// <summary>Per iteration: SL̂.</summary>
    public float?[]? IterationPredictedLength { get; init; }

    /// <summary>Per iteration: SF.</summary>
    public float?[]? IterationScaleFactor { get; init; }

    /// <summary>Per iteration: WVIR.</summary>
    public float?[]? IterationWvir { get; init; }

    /// <summary>Per iteration: SL_cap.</summary>
    public float?[]? IterationCap { get; init; }

    /// <summary>Per iteration: sequences in the batch.</summary>
    public int[]? IterationBatchSize { get; init; }

    /// <summary>Per iteration: rows of the batch's target pass.</summary>
    public int[]? IterationBatchRows { get; init; }

    /// <summary>Per iteration: draft passes of the batch, ms.</summary>
    public float[]? IterationDraftMs { get; init; }

    /// <summary>Per iteration: target pass of the batch, ms.</summary>
    public float[]? IterationVerifyMs { get; init; }

    /// <summary>Per iteration: who proposed; 0 nobody, 1 the draft, 2 lookup.</summary>
    public short[]? IterationProposedBy { get; init; }

    /// <summary>Per iteration: tokens that the format forced, before those proposed; null as well where it never forced any.</summary>
    public int[]? IterationForced { get; init; }

    /// <summary>Per proposed token: KLD, nats.</summary>
    public float?[]? ProposalKld { get; init; }

    /// <summary>Per proposed token: expected acceptance β.</summary>
    public float?[]? ProposalBeta { get; init; }

    /// <summary>Per proposed token: draft entropy, nats.</summary>
    public float?[]? ProposalDraftEntropy { get; init; }

    /// <summary>Per proposed token: not behind the first rejection of its iteration.</summary>
    public bool[]? ProposalOnPath { get; init; }

    /// <summary>Per generated token: distance of the two best target logits.</summary>
    public float[]? TokenMargin { get; init; }

    /// <summary>Per generated token: whether the draft's first choice was the token; 1 yes, 0 no, −1 not known.</summary>
    public short[]? TokenDraftMatch { get; init; }

    /// <summary>Per step of the survey: tokens proposed.</summary>
    public int[]? SurveyLength { get; init; }

    /// <summary>Per step of the survey: tokens accepted; the next step begins at the token behind them.</summary>
    public int[]? SurveyAccepted { get; init; }

    /// <summary>Per token proposed in the survey: KLD, nats.</summary>
    public float[]? SurveyKld { get; init; }

    /// <summary>Per token proposed in the survey: expected acceptance β.</summary>
    public float[]? SurveyBeta { get; init; }

    /// <summary>Per token proposed in the survey: draft entropy, nats.</summary>
    public float[]? SurveyDraftEntropy { get; init; }
}
