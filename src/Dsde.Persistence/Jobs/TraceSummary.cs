namespace Dsde.Persistence.Jobs;

/// <summary>The counts, means and times of the trace of one output; docs/telemetry.md says what each means.</summary>
public record TraceSummary
{
    /// <summary>How much of it is stored: <c>summary</c>, <c>iterations</c> or <c>tokens</c>.</summary>
    public required string Level { get; init; }

    /// <summary>Policy with its parameters.</summary>
    public required string Policy { get; init; }

    /// <summary>Whether its lengths were wishes, of which the cost guard allowed as much as paid.</summary>
    public required bool IsGuarded { get; init; }

    /// <summary>Who was to propose: <c>draft</c>, <c>lookup</c> or <c>both</c>.</summary>
    public required string Proposer { get; init; }

    /// <summary><c>greedy</c>, <c>rejection</c> or <c>coupled</c>.</summary>
    public required string SamplingMode { get; init; }

    /// <summary>Key of the random draws.</summary>
    public required long Seed { get; init; }

    /// <summary>Sampling temperature.</summary>
    public required float Temperature { get; init; }

    /// <summary>Nucleus mass; 1 is off.</summary>
    public required float TopP { get; init; }

    /// <summary>Tokens kept; 0 is off.</summary>
    public required int TopK { get; init; }

    /// <summary>Name of the target model.</summary>
    public required string TargetModel { get; init; }

    /// <summary>Name of the draft model; null without one.</summary>
    public string? DraftModel { get; init; }

    /// <summary>Draft–verify–accept rounds.</summary>
    public required int Iterations { get; init; }

    /// <summary>Rounds of these in which something was proposed.</summary>
    public required int SpeculatingIterations { get; init; }

    /// <summary>Tokens of the prompt.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>Tokens of the prompt that were taken from other requests instead of being computed.</summary>
    public required int CachedPromptTokens { get; init; }

    /// <summary>Tokens generated.</summary>
    public required int CompletionTokens { get; init; }

    /// <summary>Tokens proposed.</summary>
    public required int Proposed { get; init; }

    /// <summary>Proposed tokens accepted and kept.</summary>
    public required int Accepted { get; init; }

    /// <summary>Of those proposed, by lookup.</summary>
    public int LookupProposed { get; init; }

    /// <summary>Of those accepted and kept, proposed by lookup.</summary>
    public int LookupAccepted { get; init; }

    /// <summary>Tokens that the output's format forced, proposed without a model and kept; neither proposed nor accepted ones count them.
    /// </summary>
    public int Forced { get; init; }

    /// <summary>Tokens proposed by the draft: those that have a KLD.</summary>
    public int Drafted => Proposed - LookupProposed;

    /// <summary>Mean KLD over the tokens that the draft proposed, nats; null if it proposed nothing.</summary>
    public float? MeanKld { get; init; }

    /// <summary>Largest KLD, nats.</summary>
    public float? MaxKld { get; init; }

    /// <summary>Variance of the KLD, nats².</summary>
    public float? VarianceKld { get; init; }

    /// <summary>Mean expected acceptance β over these; null as above.</summary>
    public float? MeanBeta { get; init; }

    /// <summary>Mean draft entropy over these, nats; null as above.</summary>
    public float? MeanDraftEntropy { get; init; }

    /// <summary>SL_A,max; null if the policy did not calibrate.</summary>
    public int? CalibrationMaxAccepted { get; init; }

    /// <summary>SL_max; null as above.</summary>
    public int? CalibrationMaxLength { get; init; }

    /// <summary>Waiting for a slot, ms.</summary>
    public required double WaitingMs { get; init; }

    /// <summary>Passes over the prompt, ms.</summary>
    public required double PrefillMs { get; init; }

    /// <summary>Passes and iterations of others, ms.</summary>
    public required double OthersMs { get; init; }

    /// <summary>Draft passes, ms.</summary>
    public required double DraftMs { get; init; }

    /// <summary>Target passes, ms.</summary>
    public required double VerifyMs { get; init; }

    /// <summary>Acceptance, measurement, policy, ms.</summary>
    public required double SamplingMs { get; init; }

    /// <summary>Between passes and iterations, ms.</summary>
    public required double RestMs { get; init; }

    /// <summary>End to end in the engine, ms: the sum of the parts above.</summary>
    public required double TotalMs { get; init; }

    /// <summary>From arrival in the engine to the first token, ms.</summary>
    public double? FirstTokenMs { get; init; }

    /// <summary>The output's own part of <see cref="PrefillMs"/>, by rows, ms.</summary>
    public required double PrefillShareMs { get; init; }

    /// <summary>The output's own part of <see cref="DraftMs"/>, by proposals, ms.</summary>
    public required double DraftShareMs { get; init; }

    /// <summary>The output's own part of <see cref="VerifyMs"/>, by rows, ms.</summary>
    public required double VerifyShareMs { get; init; }

    /// <summary>The output's own part of <see cref="SamplingMs"/>, by rows, ms.</summary>
    public required double SamplingShareMs { get; init; }

    /// <summary>Without the series.</summary>
    public static TraceSummary Of(JobTrace trace) => new(trace);
}
