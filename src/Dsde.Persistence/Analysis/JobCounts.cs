namespace Dsde.Persistence.Analysis;

/// <summary>How many jobs there are of each state.</summary>
/// <param name="ByState">By state, as the database names it; only jobs that a filter lets through.</param>
/// <param name="FailuresByCode">The failed ones by their code.</param>
/// <param name="Outputs">Outputs of completed jobs that have a trace.</param>
public sealed record JobCounts(IReadOnlyDictionary<string, long> ByState, IReadOnlyDictionary<string, long> FailuresByCode, long Outputs);
