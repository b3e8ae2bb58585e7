using System.Globalization;
using Dsde.Persistence.Storage;
using Dsde.Persistence.Storage.Postgres;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Upkeep;

/// <summary>On PostgreSQL: a partition per month, made ahead and dropped whole.</summary>
internal sealed class PostgresTraceKeeping : ITraceKeeping
{
    private const string Prefix = "job_traces_";

    // Whoever waits for a lock on the table keeps everybody behind it waiting as well.
    private const string WithoutLongWaits = "SET LOCAL lock_timeout = '3s'";

    /// <inheritdoc/>
    public async Task<int> PrepareAsync(DsdeDbContext context, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await context.Database.ExecuteSqlRawAsync(WithoutLongWaits, cancellationToken);
        return (
            await context
                .Database.SqlQuery<int>($"SELECT ensure_trace_partitions({now}, {TracePartitions.MonthsAhead}) AS \"Value\"")
                .ToListAsync(cancellationToken)
        )[0];
    }

    /// <inheritdoc/>
    public async Task<Pruned> PruneAsync(Database database, DateTimeOffset before, bool isDryRun, CancellationToken cancellationToken)
    {
        var old = await database.RunAsync((context, token) => FindOldAsync(context, before, token), cancellationToken);
        var (total, details) = (0L, new List<string>());
        foreach (var partition in old)
        {
            var count = await database.RunInTransactionAsync(
                async (context, token) =>
                {
                    var rows = await CountAsync(context, $"SELECT count(*) AS \"Value\" FROM {partition}", [], token);
                    if (!isDryRun)
                    {
                        await context.Database.ExecuteSqlRawAsync(WithoutLongWaits, token);
                        var drop = $"DROP TABLE IF EXISTS {partition}"; // a name that was read as a month
                        await context.Database.ExecuteSqlRawAsync(drop, token);
                    }

                    return rows;
                },
                cancellationToken
            );
            total += count;
            details.Add(string.Create(CultureInfo.InvariantCulture, $"{partition} with {count}"));
        }

        // What came while its month had no partition.
        total += await database.RunInTransactionAsync(
            (context, token) =>
                isDryRun
                    ? CountAsync(
                        context,
                        $"SELECT count(*) AS \"Value\" FROM {TracePartitions.Rest} WHERE stored_at < {{0}}",
                        [before],
                        token
                    )
                    : DeleteRestAsync(context, before, token),
            cancellationToken
        );
        return new Pruned(total, details);
    }

    private static async Task<long> DeleteRestAsync(DsdeDbContext context, DateTimeOffset before, CancellationToken cancellationToken) =>
        await context.Database.ExecuteSqlRawAsync(
            $"DELETE FROM {TracePartitions.Rest} WHERE stored_at < {{0}}",
            [before],
            cancellationToken
        );

    private static async Task<long> CountAsync(
        DsdeDbContext context,
        string sql,
        object[] parameters,
        CancellationToken cancellationToken
    ) => (await context.Database.SqlQueryRaw<long>(sql, parameters).ToListAsync(cancellationToken))[0];

    /// <summary>Partitions whose last moment is older, oldest first. Their names say the month; nobody else makes tables there.</summary>
    private static async Task<IReadOnlyList<string>> FindOldAsync(
        DsdeDbContext context,
        DateTimeOffset before,
        CancellationToken cancellationToken
    )
    {
        var names = await context
            .Database.SqlQuery<string>(
                $"""
                SELECT child.relname AS "Value" FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid
                WHERE inhparent = 'job_traces'::regclass
                """
            )
            .ToListAsync(cancellationToken);
        return [.. names.Where(name => EndOf(name) <= before).Order(StringComparer.Ordinal)];
    }

    private static DateTimeOffset? EndOf(string partition) =>
        DateTimeOffset.TryParseExact(
            partition,
            $"'{Prefix}'yyyy_MM",
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal,
            out var month
        )
            ? month.AddMonths(1)
            : null;
}
