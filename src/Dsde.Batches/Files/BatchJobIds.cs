using System.Globalization;
using Dsde.Contracts;

namespace Dsde.Batches.Files;

/// <summary>
/// Ids of a batch's jobs. They follow from the batch and the line's <c>custom_id</c>, so that a file sent twice under one batch id is one
/// set of jobs, and the results of a line are found again whatever lines come before it. Whether the line still asks for the same is
/// another question: <see cref="Results.LineMatch"/>.
/// </summary>
internal static class BatchJobIds
{
    /// <param name="batchId">The batch.</param>
    /// <param name="customId">The submitter's name for the job, of which a file has each once.</param>
    public static Guid OfCustomId(Guid batchId, string customId) => NameBasedGuid.Create(batchId, $"custom_id:{customId}");

    /// <summary>The id of a line that has no name of its own, and so is no job: it only has to be told from others.</summary>
    /// <param name="batchId">The batch.</param>
    /// <param name="lineNumber">Counted from 1.</param>
    public static Guid OfLine(Guid batchId, int lineNumber) =>
        NameBasedGuid.Create(batchId, string.Create(CultureInfo.InvariantCulture, $"line:{lineNumber}"));
}
