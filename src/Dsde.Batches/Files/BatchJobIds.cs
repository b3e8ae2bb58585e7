using System.Globalization;
using Dsde.Contracts;

namespace Dsde.Batches.Files;

/// <summary>
/// Ids of a batch's jobs. They follow from the batch and the line number, so that a file sent twice under one batch id is one set of jobs,
/// and results are found again by reading the file instead of remembering every id.
/// </summary>
internal static class BatchJobIds
{
    /// <param name="batchId">The batch.</param>
    /// <param name="lineNumber">Counted from 1.</param>
    public static Guid Create(Guid batchId, int lineNumber) =>
        NameBasedGuid.Create(batchId, lineNumber.ToString(CultureInfo.InvariantCulture));
}
