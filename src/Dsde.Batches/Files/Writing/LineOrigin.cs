namespace Dsde.Batches.Files.Writing;

/// <summary>What a written line is about.</summary>
/// <param name="JobId">The job that the line of the job file is or would be.</param>
/// <param name="Number">The number of that line, counted from 1; null if the job is written without its file.</param>
/// <param name="CustomId">The submitter's name for the job; null if it has none, or none that could be read.</param>
/// <param name="IgnoredFields">Fields of the line with which nothing was done.</param>
internal sealed record LineOrigin(Guid JobId, int? Number, string? CustomId, IReadOnlyList<string> IgnoredFields);
