namespace Dsde.Persistence.Analysis;

/// <summary>What a report reads besides traces.</summary>
public interface IReportReader : ITraceReader
{
    /// <summary>The same traces in the same order, without their series.</summary>
    /// <exception cref="DatabaseUnavailableException">The database stays away.</exception>
    IAsyncEnumerable<StoredSummary> ReadSummariesAsync(TraceFilter filter, CancellationToken cancellationToken);

    /// <summary>
    /// Jobs that have ended, in the order in which their ends were stored, whatever became of them. Of the filter, batch, workload,
    /// times and place count.
    /// </summary>
    /// <exception cref="DatabaseUnavailableException">The database stays away.</exception>
    IAsyncEnumerable<JobSummary> ReadEndedJobsAsync(TraceFilter filter, CancellationToken cancellationToken);

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
}
