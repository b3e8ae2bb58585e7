namespace Dsde.Persistence.Jobs;

/// <summary>An unfinished output of a running job, to go on from when the job is claimed again.</summary>
/// <param name="Choice">Which output, from 0.</param>
/// <param name="TokenCount">Tokens so far.</param>
/// <param name="State">The engine's checkpoint, in the worker's encoding.</param>
public sealed record JobCheckpoint(int Choice, int TokenCount, byte[] State);
