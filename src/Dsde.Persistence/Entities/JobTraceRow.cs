namespace Dsde.Persistence.Entities;

/// <summary>A row of <c>job_traces</c>; the properties are those of <see cref="Jobs.JobTrace"/>.</summary>
internal sealed class JobTraceRow
{
    public Guid JobId { get; init; }

    public int Choice { get; init; }

    public DateTimeOffset StoredAt { get; init; }

    public string WorkerId { get; init; } = "";

    public string Policy { get; init; } = "";

    public string SamplingMode { get; init; } = "";

    public long Seed { get; init; }

    public float Temperature { get; init; }

    public float TopP { get; init; }

    public int TopK { get; init; }

    public string TargetModel { get; init; } = "";

    public string? DraftModel { get; init; }

    public int Iterations { get; init; }

    public int PromptTokens { get; init; }

    public int CompletionTokens { get; init; }

    public int Proposed { get; init; }

    public int Accepted { get; init; }

    public float? MeanKld { get; init; }

    public float? MaxKld { get; init; }

    public float? VarianceKld { get; init; }

    public int? CalibrationMaxAccepted { get; init; }

    public int? CalibrationMaxLength { get; init; }

    public double WaitingMs { get; init; }

    public double PrefillMs { get; init; }

    public double DraftMs { get; init; }

    public double VerifyMs { get; init; }

    public double SamplingMs { get; init; }

    public double TotalMs { get; init; }

    public int[] IterationLength { get; init; } = [];

    public int[] IterationAccepted { get; init; } = [];

    public float?[] IterationPredictedLength { get; init; } = [];

    public float?[] IterationScaleFactor { get; init; } = [];

    public float?[] IterationWvir { get; init; } = [];

    public float?[] IterationCap { get; init; } = [];

    public int[] IterationBatchSize { get; init; } = [];

    public float[] IterationDraftMs { get; init; } = [];

    public float[] IterationVerifyMs { get; init; } = [];

    public float[] ProposalKld { get; init; } = [];

    public float[] ProposalBeta { get; init; } = [];

    public float[] ProposalDraftEntropy { get; init; } = [];

    public bool[] ProposalOnPath { get; init; } = [];

    public float[] TokenMargin { get; init; } = [];

    public short[] TokenDraftMatch { get; init; } = [];
}
