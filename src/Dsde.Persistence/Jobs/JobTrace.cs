namespace Dsde.Persistence.Jobs;

/// <summary>The telemetry of one output of a job: summary and series. Null within a series: the policy had no such value.</summary>
public sealed record JobTrace : TraceSummary
{
    /// <summary>Per iteration: tokens proposed (k).</summary>
    public required int[] IterationLength { get; init; }

    /// <summary>Per iteration: tokens accepted (a).</summary>
    public required int[] IterationAccepted { get; init; }

    /// <summary>Per iteration: tokens that the policy wished to propose.</summary>
    public required int[] IterationWish { get; init; }

    /// <summary>Per iteration: tokens of these that the cost guard allowed.</summary>
    public required int[] IterationAllowed { get; init; }

    /// <summary>Per iteration: what was decisive; 0 the policy, 1 the guard, 2 its hold-out, 3 a draft that caught up first.</summary>
    public required short[] IterationDecidedBy { get; init; }

    /// <summary>Per iteration: SL̂.</summary>
    public required float?[] IterationPredictedLength { get; init; }

    /// <summary>Per iteration: SF.</summary>
    public required float?[] IterationScaleFactor { get; init; }

    /// <summary>Per iteration: WVIR.</summary>
    public required float?[] IterationWvir { get; init; }

    /// <summary>Per iteration: SL_cap.</summary>
    public required float?[] IterationCap { get; init; }

    /// <summary>Per iteration: sequences in the batch.</summary>
    public required int[] IterationBatchSize { get; init; }

    /// <summary>Per iteration: draft passes of the batch, ms.</summary>
    public required float[] IterationDraftMs { get; init; }

    /// <summary>Per iteration: target pass of the batch, ms.</summary>
    public required float[] IterationVerifyMs { get; init; }

    /// <summary>Per proposed token: KLD, nats.</summary>
    public required float[] ProposalKld { get; init; }

    /// <summary>Per proposed token: expected acceptance β.</summary>
    public required float[] ProposalBeta { get; init; }

    /// <summary>Per proposed token: draft entropy, nats.</summary>
    public required float[] ProposalDraftEntropy { get; init; }

    /// <summary>Per proposed token: not behind the first rejection of its iteration.</summary>
    public required bool[] ProposalOnPath { get; init; }

    /// <summary>Per generated token: distance of the two best target logits.</summary>
    public required float[] TokenMargin { get; init; }

    /// <summary>Per generated token: whether the draft's first choice was the token; 1 yes, 0 no, −1 not known.</summary>
    public required short[] TokenDraftMatch { get; init; }
}
