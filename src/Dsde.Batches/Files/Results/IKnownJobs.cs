namespace Dsde.Batches.Files.Results;

/// <summary>Where jobs and their ends are looked up.</summary>
internal interface IKnownJobs
{
    /// <summary>Those of the jobs that are known, by id.</summary>
    Task<IReadOnlyDictionary<Guid, KnownJob>> FindAsync(IReadOnlyList<Guid> jobIds, CancellationToken cancellationToken);

    /// <summary>The jobs of a batch that have ended, one by one.</summary>
    IAsyncEnumerable<KnownJob> ReadEndedAsync(Guid batchId, CancellationToken cancellationToken);

    /// <summary>All jobs of a batch that are known, ended or not, in the order in which workers first saw them.</summary>
    IAsyncEnumerable<JobName> ReadNamesAsync(Guid batchId, CancellationToken cancellationToken);
}
