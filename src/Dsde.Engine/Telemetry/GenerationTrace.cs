using Dsde.Engine.Sampling;
using Dsde.Speculation;

namespace Dsde.Engine.Telemetry;

/// <summary>The telemetry of one request (docs/telemetry.md). Raw counts and series; every rate can be recomputed from them.</summary>
public sealed record GenerationTrace
{
    /// <summary>The policy with its parameters, for example <c>static:4</c>.</summary>
    public required string Policy { get; init; }

    /// <summary>Whether the policy's lengths were wishes, of which the cost guard allowed as much as paid.</summary>
    public bool IsGuarded { get; init; }

    /// <summary>Who was to propose.</summary>
    public Proposer Proposer { get; init; }

    /// <summary>How proposals were accepted.</summary>
    public required SamplingMode SamplingMode { get; init; }

    /// <summary>Key of the request's random draws.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Tokens of the prompt.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>
    /// Tokens of the prompt whose keys and values were taken from other requests that begin alike instead of being computed.
    /// </summary>
    public int ReusedPromptTokens { get; init; }

    /// <summary>Committed tokens.</summary>
    public required int CompletionTokens { get; init; }

    /// <summary>
    /// Tokens proposed, by whomever, also those behind a rejection or a stop.
    /// Equal to the sum of <see cref="IterationSeries.SpeculationLength"/> and to the length of the token series.
    /// </summary>
    public required int Proposed { get; init; }

    /// <summary>Proposed tokens accepted and kept: an output that stops inside a block keeps fewer than were accepted.</summary>
    public required int Accepted { get; init; }

    /// <summary>Of those proposed, by lookup.</summary>
    public int LookupProposed { get; init; }

    /// <summary>Of those accepted and kept, proposed by lookup.</summary>
    public int LookupAccepted { get; init; }

    /// <summary>
    /// Tokens that the request's grammar forced, which were proposed without a model and kept. Neither proposed nor accepted ones count
    /// them.
    /// </summary>
    public int Forced { get; init; }

    /// <summary>
    /// Largest accepted count of any calibration step (SL_A,max); null if the policy does not calibrate or had not finished.
    /// </summary>
    public int? CalibrationMaxAccepted { get; init; }

    /// <summary>Upper bound fixed by calibration (SL_max); null as above.</summary>
    public int? CalibrationMaxLength { get; init; }

    /// <summary>
    /// One entry per iteration the request took part in. The prompt's own pass, which emits the first token, is not one of them.
    /// </summary>
    public required IterationSeries Iterations { get; init; }

    /// <summary>One entry per proposed token.</summary>
    public required ProposalSeries Proposals { get; init; }

    /// <summary>One entry per committed token.</summary>
    public required TokenSeries Tokens { get; init; }

    /// <summary>
    /// What came of working through the same output once more (<see cref="GenerationRequest.IsSurvey"/>); null if nobody did.
    /// </summary>
    public GenerationTrace? Survey { get; init; }

    /// <summary>Where the time went.</summary>
    public required GenerationTimes Times { get; init; }
}
