namespace Dsde.Engine.Speculation.Goodput;

/// <summary>Numbers of the Goodput policy. What depends on the machine or the models is measured instead.</summary>
internal static class GoodputConstants
{
    /// <summary>Acceptance assumed before anything was observed.</summary>
    public const double InitialAcceptance = 0.7;

    /// <summary>Observations that the assumed acceptance counts for.</summary>
    public const double InitialWeight = 4;

    /// <summary>Weight of a workload's observation relative to the next newer one: a memory of some 300 proposals.</summary>
    public const double WorkloadDecay = 0.997;

    /// <summary>The same for observations that come from probes.</summary>
    public const double ProbeDecay = 0.93;

    /// <summary>The same for a sequence: a memory of some 25 proposals.</summary>
    public const double SequenceDecay = 0.96;

    /// <summary>Observations of a sequence that weigh as much as its workload's mean.</summary>
    public const double ShrinkageWeight = 8;

    /// <summary>Estimates stay this far from 0 and 1.</summary>
    public const double AcceptanceMargin = 0.01;

    /// <summary>
    /// How much better than without it speculation must promise to be before it begins; at rest within noise no switch is made.
    /// </summary>
    public const double GainToStart = 1.03;

    /// <summary>How much of the rate without it speculation must promise to go on.</summary>
    public const double GainToContinue = 0.995;

    /// <summary>Share of time that probing may cost while speculation is off.</summary>
    public const double ProbeTimeShare = 0.004;

    /// <summary>A rise in acceptance after which the next probe comes soon.</summary>
    public const double SurprisingGain = 0.02;

    /// <summary>Iterations until the first probe after speculation ended.</summary>
    public const int FirstProbeInterval = 16;

    /// <summary>Most iterations between two probes.</summary>
    public const int MaxProbeInterval = 128;

    /// <summary>Tokens proposed in a probe.</summary>
    public const int ProbeLength = 3;

    /// <summary>Iterations that a draft's reading of what it has missed is spread over when its cost is weighed.</summary>
    public const int CatchUpHorizon = 32;

    /// <summary>Most tokens that drafts catch up with in one iteration, unless a single sequence needs more.</summary>
    public const int CatchUpBudget = 512;

    /// <summary>How much more a token is valued in an iteration that drafts further than seems best; the inverse for less far.</summary>
    public const double EagernessOfDeviation = 1.6;

    /// <summary>Weight of one iteration in the mean ratio of measured to promised rate.</summary>
    public const double RateCorrectionStep = 0.05;

    /// <summary>Share by which it returns to 1 in an iteration while speculation is off.</summary>
    public const double RateCorrectionRecovery = 0.01;

    /// <summary>Least ratio of measured to promised rate that is believed.</summary>
    public const double MinRateCorrection = 0.7;

    /// <summary>Largest ratio of measured to promised rate that is believed.</summary>
    public const double MaxRateCorrection = 1.5;
}
