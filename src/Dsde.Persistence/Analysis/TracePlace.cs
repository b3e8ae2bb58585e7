namespace Dsde.Persistence.Analysis;

/// <summary>A place in the order in which traces and ended jobs are read.</summary>
/// <param name="StoredAt">When the one there was stored.</param>
/// <param name="JobId">Its job.</param>
/// <param name="Choice">Which of the job's outputs.</param>
public readonly record struct TracePlace(DateTimeOffset StoredAt, Guid JobId, int Choice);
