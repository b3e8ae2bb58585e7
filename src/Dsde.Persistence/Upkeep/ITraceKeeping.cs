using Dsde.Persistence.Storage;

namespace Dsde.Persistence.Upkeep;

/// <summary>How a database keeps its traces, of which there are most.</summary>
internal interface ITraceKeeping
{
    /// <summary>Makes what storing will need from a time on, within the context's transaction.</summary>
    /// <returns>How much was made.</returns>
    Task<int> PrepareAsync(DsdeDbContext context, DateTimeOffset now, CancellationToken cancellationToken);

    /// <summary>Removes traces that were stored before a time, or says which those are.</summary>
    Task<Pruned> PruneAsync(Database database, DateTimeOffset before, bool isDryRun, CancellationToken cancellationToken);
}
