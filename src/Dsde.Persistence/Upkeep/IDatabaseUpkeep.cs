namespace Dsde.Persistence.Upkeep;

/// <summary>What a database needs from time to time: room for what comes, and that what is old goes.</summary>
public interface IDatabaseUpkeep
{
    /// <summary>
    /// Makes what storing will soon need: on PostgreSQL the partitions of this month and the next two. Cheap if all is there.
    /// </summary>
    /// <returns>How many were made.</returns>
    /// <exception cref="DatabaseUnavailableException">The database can't be reached, or is busy with long queries.</exception>
    Task<int> PrepareAsync(CancellationToken cancellationToken);

    /// <summary>Says what there is of a kind that is older than a time, and removes it unless it is only to be counted.</summary>
    /// <param name="kind">What.</param>
    /// <param name="before">What ended, or was stored, before then.</param>
    /// <param name="isDryRun">Whether nothing is removed.</param>
    /// <param name="cancellationToken">Gives up; what was removed by then stays so.</param>
    /// <exception cref="DatabaseUnavailableException">The database can't be reached, or is busy with long queries.</exception>
    Task<Pruned> PruneAsync(PruneKind kind, DateTimeOffset before, bool isDryRun, CancellationToken cancellationToken);
}

/// <summary>What can be removed by itself.</summary>
public enum PruneKind
{
    /// <summary>Traces: on PostgreSQL whole months, which is fast and gives the space back; a month that is not over stays whole.</summary>
    Traces,

    /// <summary>Prompts and outputs of ended jobs, with their ids and log-probabilities; hashes and counts stay.</summary>
    Texts,

    /// <summary>Ended jobs with all but their traces, and their batches; of batches that are not complete none.</summary>
    Jobs,
}

/// <summary>What was removed, or would be.</summary>
/// <param name="Count">Traces, jobs with texts, or jobs; of months with many traces that were removed only about how many.</param>
/// <param name="Details">What else there is to say: partitions dropped, batches removed.</param>
public sealed record Pruned(long Count, IReadOnlyList<string> Details);
