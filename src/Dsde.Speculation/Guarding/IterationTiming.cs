namespace Dsde.Speculation.Guarding;

/// <summary>A forward pass: rows, and time where it could be measured on its own.</summary>
internal readonly record struct PassTiming(int Rows, double Milliseconds);

/// <summary>Where an iteration's time went.</summary>
/// <param name="Drafts">The draft's passes, in order.</param>
/// <param name="Verify">The target's pass.</param>
/// <param name="TotalMs">The whole iteration, to the last commit.</param>
internal readonly record struct IterationTiming(IReadOnlyList<PassTiming> Drafts, PassTiming Verify, double TotalMs)
{
    /// <summary>Whether proposals were known before it began: found by lookup, or forced by a grammar.</summary>
    public bool LooksUp { get; init; }

    /// <summary>What kind of iteration it was.</summary>
    public IterationKind Kind =>
        Drafts.Count > 0 ? IterationKind.Drafting
        : LooksUp ? IterationKind.LookingUp
        : IterationKind.Plain;

    /// <summary>Everything but the passes.</summary>
    public double RestMs => Math.Max(0, TotalMs - Verify.Milliseconds - Drafts.Sum(pass => pass.Milliseconds));
}
