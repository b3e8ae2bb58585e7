using System.Text.Json.Serialization;
using Dsde.Speculation;

namespace Dsde.Engine.Telemetry;

/// <summary>What happened in each iteration of a request; all arrays have one entry per iteration.</summary>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public sealed record IterationSeries
{
    /// <summary>Tokens proposed (k).</summary>
    public required int[] SpeculationLength { get; init; }

    /// <summary>Proposed tokens accepted by verification (a).</summary>
    public required int[] Accepted { get; init; }

    /// <summary>Tokens that the policy wished to propose, cap included, as far as the request had room for them.</summary>
    public required int[] Wish { get; init; }

    /// <summary>Tokens of these that the cost guard allowed; all, where it has no say.</summary>
    public required int[] Allowed { get; init; }

    /// <summary>What made the number what it is.</summary>
    public required LengthDecider[] DecidedBy { get; init; }

    /// <summary>The policy's prediction before rounding and cap (SL̂); NaN where the policy made none.</summary>
    public required float[] PredictedLength { get; init; }

    /// <summary>Scale factor SF; NaN where the policy made none.</summary>
    public required float[] ScaleFactor { get; init; }

    /// <summary>Weighted variance ratio WVIR; NaN where the policy made none.</summary>
    public required float[] Wvir { get; init; }

    /// <summary>Adaptive cap SL_cap of the batch; NaN where none applied.</summary>
    public required float[] Cap { get; init; }

    /// <summary>Sequences in the iteration's batch.</summary>
    public required int[] BatchSize { get; init; }

    /// <summary>
    /// Rows of the batch's target pass: what is forced and the speculation lengths of its sequences, and one more for each. The request's
    /// own share of the pass is (forced + k + 1) / rows.
    /// </summary>
    public required int[] BatchRows { get; init; }

    /// <summary>Duration of the batch's draft passes, in milliseconds.</summary>
    public required float[] DraftMs { get; init; }

    /// <summary>Duration of the batch's target pass, in milliseconds.</summary>
    public required float[] VerifyMs { get; init; }

    /// <summary>Who made the request's own proposals.</summary>
    public required ProposedBy[] ProposedBy { get; init; }

    /// <summary>
    /// Tokens that the request's grammar forced, each the only one allowed: they stand before those proposed, need no model, and are
    /// counted among neither <see cref="SpeculationLength"/> nor <see cref="Accepted"/>.
    /// </summary>
    public required int[] Forced { get; init; }
}
