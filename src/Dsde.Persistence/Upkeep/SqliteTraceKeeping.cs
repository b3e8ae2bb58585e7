using Dsde.Persistence.Jobs;
using Dsde.Persistence.Storage;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Upkeep;

/// <summary>On SQLite: one table, of which rows are removed.</summary>
internal sealed class SqliteTraceKeeping : ITraceKeeping
{
    /// <inheritdoc/>
    public Task<int> PrepareAsync(DsdeDbContext context, DateTimeOffset now, CancellationToken cancellationToken) => Task.FromResult(0);

    /// <inheritdoc/>
    public async Task<Pruned> PruneAsync(Database database, DateTimeOffset before, bool isDryRun, CancellationToken cancellationToken)
    {
        var count = await database.RunInTransactionAsync(
            (context, token) => isDryRun ? Old(context, before).CountAsync(token) : Old(context, before).ExecuteDeleteAsync(token),
            cancellationToken
        );
        return new Pruned(count, []);
    }

    private static IQueryable<JobTrace> Old(DsdeDbContext context, DateTimeOffset before) =>
        context.Traces.Where(trace => EF.Property<DateTimeOffset>(trace, DsdeDbContext.TraceStoredAt) < before);
}
