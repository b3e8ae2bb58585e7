using Dsde.Contracts;

namespace Dsde.Batches.Files.Results;

/// <summary>A job that a worker has seen, or somebody has called off.</summary>
/// <param name="JobId">The job.</param>
/// <param name="CustomId">The submitter's name for it, if any.</param>
/// <param name="Request">The request as far as it is stored; null as long as no worker has seen it.</param>
/// <param name="RequestHash">SHA-256 of the whole request in canonical JSON; null as above.</param>
/// <param name="End">
/// Its end as the event that announces it (completed, failed or cancelled), with the whole text however long; null if it has none yet.
/// </param>
internal sealed record KnownJob(Guid JobId, string? CustomId, SubmitGenerationJob? Request, byte[]? RequestHash, object? End);
