namespace Dsde.Engine.Speculation.Goodput;

/// <summary>A forward pass: rows, and time where it could be measured on its own.</summary>
internal readonly record struct PassTiming(int Rows, double Milliseconds);

/// <summary>Where an iteration's time went.</summary>
/// <param name="Drafts">The draft's passes, in order.</param>
/// <param name="Verify">The target's pass.</param>
/// <param name="TotalMs">The whole iteration, from planning to the last commit.</param>
/// <param name="PassesAreTimed">Whether the passes' own times mean anything: a GPU has only been given its work when a pass returns, so
/// there only the total does.</param>
internal readonly record struct IterationTiming(IReadOnlyList<PassTiming> Drafts, PassTiming Verify, double TotalMs, bool PassesAreTimed);
