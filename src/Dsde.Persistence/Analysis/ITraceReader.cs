namespace Dsde.Persistence.Analysis;

/// <summary>The one way in which analytics reads traces.</summary>
public interface ITraceReader
{
    /// <summary>
    /// The traces of completed jobs that a filter lets through, in the order in which they were stored. They are read in pages, so that
    /// memory does not grow with their number.
    /// </summary>
    /// <exception cref="DatabaseUnavailableException">The database stays away.</exception>
    IAsyncEnumerable<StoredTrace> ReadAsync(TraceFilter filter, CancellationToken cancellationToken);

    /// <summary>The same traces in the same order, without their series.</summary>
    /// <exception cref="DatabaseUnavailableException">The database stays away.</exception>
    IAsyncEnumerable<StoredSummary> ReadSummariesAsync(TraceFilter filter, CancellationToken cancellationToken);

    /// <summary>The traces of some jobs.</summary>
    /// <exception cref="DatabaseUnavailableException">The database stays away.</exception>
    Task<IReadOnlyList<StoredTrace>> ReadOfJobsAsync(IReadOnlyCollection<Guid> jobs, CancellationToken cancellationToken);

    /// <summary>The text of an output, by job and choice; those that are not stored are left out.</summary>
    /// <exception cref="DatabaseUnavailableException">The database stays away.</exception>
    Task<IReadOnlyDictionary<(Guid JobId, int Choice), string>> ReadTextsAsync(
        IReadOnlyCollection<Guid> jobs,
        CancellationToken cancellationToken
    );

    /// <summary>
    /// Counts jobs, whatever became of them, and outputs. Jobs that have not ended count whatever times the filter names.
    /// </summary>
    /// <exception cref="DatabaseUnavailableException">The database stays away.</exception>
    Task<JobCounts> CountAsync(TraceFilter filter, CancellationToken cancellationToken);

    /// <summary>What passes cost where a worker ran, as JSON, by the starts of workers; without those that did not measure it.</summary>
    /// <exception cref="DatabaseUnavailableException">The database stays away.</exception>
    Task<IReadOnlyDictionary<Guid, string>> ReadCostProfilesAsync(CancellationToken cancellationToken);
}
