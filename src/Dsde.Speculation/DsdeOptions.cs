namespace Dsde.Speculation;

/// <summary>What tells the variants of the DSDE policy apart, and what experiments change (docs/experiments.md).</summary>
internal sealed record DsdeOptions
{
    /// <summary>The policy as the paper has it.</summary>
    public static readonly DsdeOptions Paper = new()
    {
        Decay = 0.85,
        CalibrationCoefficient = 1,
        InitialLength = 8,
        FollowsReference = false,
    };

    /// <summary>The policy as its authors' implementation has it.</summary>
    public static readonly DsdeOptions Reference = new()
    {
        Decay = 0.9,
        CalibrationCoefficient = 0.5,
        InitialLength = 4,
        FollowsReference = true,
    };

    /// <summary>Weight of a KLD relative to the next newer one, δ.</summary>
    public required double Decay { get; init; }

    /// <summary>How far calibration reaches beyond the largest accepted count, c.</summary>
    public required double CalibrationCoefficient { get; init; }

    /// <summary>
    /// Length proposed when calibration begins. The paper names none, but the largest accepted count can't exceed it: from too short a one
    /// calibration never learns how far the draft reaches (docs/benchmarks.md).
    /// </summary>
    public required int InitialLength { get; init; }

    /// <summary>Draft tokens a sequence proposes before its bounds are fixed (paper: the brief pre-processing phase).</summary>
    public int CalibrationTokens { get; init; } = 30;

    /// <summary>KLDs remembered per sequence, N_long (paper); at least 2.</summary>
    public int LongWindow { get; init; } = 30;

    /// <summary>Newest KLDs set against all remembered ones, N_short (paper).</summary>
    public int ShortWindow { get; init; } = 10;

    /// <summary>Steepness α of the scale factor (paper).</summary>
    public double ScaleSteepness { get; init; } = 2;

    /// <summary>
    /// The implementation's structural deviations: a short window of a third of the values, SL_min from SL_max, a doubling initial length,
    /// and the last step's mean KLD divided by the temperature.
    /// </summary>
    public required bool FollowsReference { get; init; }

    /// <summary>Whether the batch's mean prediction caps every length.</summary>
    public bool CapEnabled { get; init; } = true;

    /// <summary>Whether lengths are wishes, for the cost guard to allow.</summary>
    public bool IsGuarded { get; init; }

    /// <summary>Which KLDs count.</summary>
    public KldScope Scope { get; init; } = KldScope.AllProposed;
}
