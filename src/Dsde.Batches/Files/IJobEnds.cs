namespace Dsde.Batches.Files;

/// <summary>Where the ends of jobs are looked up.</summary>
internal interface IJobEnds
{
    /// <summary>
    /// The end of each job that has one, as the event that announces it (completed, failed or cancelled), with the whole text however long.
    /// Jobs that have not ended, or are not known, are left out.
    /// </summary>
    Task<IReadOnlyDictionary<Guid, object>> FindAsync(IReadOnlyList<Guid> jobIds, CancellationToken cancellationToken);
}
