namespace Dsde.Contracts;

/// <summary>How speculative decoding went for one job, all of its outputs together. Counts are exact; rates follow from them.</summary>
public sealed record SpeculationSummary
{
    /// <summary>The policy that chose the speculation lengths, with its parameters, for example <c>static:4</c>.</summary>
    public required string Policy { get; init; }

    /// <summary>Who was to propose: <c>draft</c>, <c>lookup</c> or <c>both</c>.</summary>
    public required string Proposer { get; init; }

    /// <summary><c>greedy</c>, <c>rejection</c> or <c>coupled</c>.</summary>
    public required string SamplingMode { get; init; }

    /// <summary>Seed of the job's random draws.</summary>
    public required long Seed { get; init; }

    /// <summary>Draft–verify–accept rounds, equal to target passes after the prompt's.</summary>
    public required int Iterations { get; init; }

    /// <summary>Rounds of these in which something was proposed.</summary>
    public required int SpeculatingIterations { get; init; }

    /// <summary>
    /// Whether speculation paid: the cost guard allowed it in more than half of the iterations. Null where no guard decided: the policy is
    /// unguarded, the guard is off, or there was no iteration.
    /// </summary>
    public bool? Paid { get; init; }

    /// <summary>Tokens proposed, by the draft model or by lookup.</summary>
    public required int Proposed { get; init; }

    /// <summary>Proposed tokens accepted and kept.</summary>
    public required int Accepted { get; init; }

    /// <summary>Of those proposed, by lookup.</summary>
    public int LookupProposed { get; init; }

    /// <summary>Of those accepted and kept, proposed by lookup.</summary>
    public int LookupAccepted { get; init; }

    /// <summary>
    /// Tokens that the job's format forced: each the only one allowed where it stands, proposed without a model and kept. Neither proposed
    /// nor accepted ones count them.
    /// </summary>
    public int Forced { get; init; }

    /// <summary>Accepted / proposed, 0 to 1; null if nothing was proposed.</summary>
    public double? AcceptanceRate { get; init; }

    /// <summary>Emitted tokens per target pass.</summary>
    public required double BlockEfficiency { get; init; }

    /// <summary>Mean KL divergence target ‖ draft over all positions that the draft proposed at, in nats; null if there are none.</summary>
    public double? MeanKld { get; init; }
}
