namespace Dsde.Persistence.Jobs;

/// <summary>
/// Proof that a job is a worker's: every write about a running job carries it, and writes nothing once the job has been taken over.
/// </summary>
/// <param name="JobId">The job.</param>
/// <param name="Token">New with every claim, and made by who claims.</param>
/// <param name="WorkerId">Who holds it.</param>
public readonly record struct JobLease(Guid JobId, Guid Token, string WorkerId);
