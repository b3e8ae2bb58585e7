namespace Dsde.Speculation.Guarding;

/// <summary>Requests whose proposals are expected to fare alike.</summary>
/// <param name="Workload">Label of the caller's choice; null for none.</param>
/// <param name="IsGreedy">Whether the most probable token is always taken.</param>
/// <param name="BetaIsTheChance">
/// Whether proposals are accepted with the probability β = Σ min(p, q) of the raw distributions. Then β says more than the coin (Rao and
/// Blackwell); elsewhere it is the chance of something else.
/// </param>
internal readonly record struct AcceptanceKind(string? Workload, bool IsGreedy, bool BetaIsTheChance);
