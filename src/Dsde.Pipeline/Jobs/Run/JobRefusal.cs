using Dsde.Persistence.Jobs;

namespace Dsde.Pipeline.Jobs.Run;

/// <summary>
/// A job that was refused before a worker of its model got it: it ends as failed, so that its submitter and its batch hear of it.
/// </summary>
/// <param name="Failure">Why.</param>
/// <param name="BodyHash">SHA-256 of what was sent, which stands for a request that could not be made out; null if it could.</param>
internal sealed record JobRefusal(JobFailure Failure, byte[]? BodyHash);
