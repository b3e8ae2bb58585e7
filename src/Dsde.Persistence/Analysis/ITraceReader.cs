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

    /// <summary>What passes cost where a worker ran, as JSON, by the starts of workers; without those that did not measure it.</summary>
    /// <exception cref="DatabaseUnavailableException">The database stays away.</exception>
    Task<IReadOnlyDictionary<Guid, string>> ReadCostProfilesAsync(CancellationToken cancellationToken);
}
