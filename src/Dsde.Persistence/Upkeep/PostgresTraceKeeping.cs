using System.Globalization;
using Dsde.Persistence.Storage;
using Dsde.Persistence.Storage.Postgres;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Upkeep;

/// <summary>On PostgreSQL: a partition per month, made ahead and dropped whole.</summary>
internal sealed class PostgresTraceKeeping(IDialect dialect) : ITraceKeeping
{
    private const string Prefix = "job_traces_";
    private const int MostCounted = 1000; // traces of a month that is dropped

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
            var (count, words) = await database.RunInTransactionAsync(
                (context, token) => isDryRun ? CountAllAsync(context, partition, token) : EstimateAsync(context, partition, token),
                cancellationToken
            );
            if (!isDryRun)
            {
                await database.RunInTransactionAsync((context, token) => DropAsync(context, partition, token), cancellationToken);
            }

            total += count;
            details.Add($"{partition} with {words}");
        }

        // What came while its month had no partition.
        total += await database.RunInTransactionAsync(
            (context, token) => isDryRun ? CountRestAsync(context, before, token) : DeleteRestAsync(context, before, token),
            cancellationToken
        );
        return new Pruned(total, details);
    }

    private async Task<(long Count, string Words)> CountAllAsync(
        DsdeDbContext context,
        string partition,
        CancellationToken cancellationToken
    )
    {
        await dialect.AllowLongQueriesAsync(context, cancellationToken);
        var count = await CountAsync(context, $"SELECT count(*) AS \"Value\" FROM {partition}", [], cancellationToken);
        return (count, $"{count}");
    }

    /// <summary>
    /// How many traces a month has, if they are few; otherwise about how many, as the server's statistics have it. To count them all would
    /// take minutes, and the month goes anyway.
    /// </summary>
    private static async Task<(long Count, string Words)> EstimateAsync(
        DsdeDbContext context,
        string partition,
        CancellationToken cancellationToken
    )
    {
        var counted = await CountAsync(
            context,
            $"SELECT count(*) AS \"Value\" FROM (SELECT FROM {partition} LIMIT {MostCounted + 1}) AS some_traces",
            [],
            cancellationToken
        );
        if (counted <= MostCounted)
        {
            return (counted, $"{counted}");
        }

        var estimate = await CountAsync(
            context,
            "SELECT reltuples::bigint AS \"Value\" FROM pg_class WHERE oid = to_regclass({0})",
            [partition],
            cancellationToken
        );

        // -1 if nobody has analysed the table yet, and little if that was before it was filled.
        return estimate > MostCounted ? (estimate, $"about {estimate}") : (MostCounted, $"more than {MostCounted}");
    }

    private static async Task DropAsync(DsdeDbContext context, string partition, CancellationToken cancellationToken)
    {
        await context.Database.ExecuteSqlRawAsync(WithoutLongWaits, cancellationToken);
        var drop = $"DROP TABLE IF EXISTS {partition}"; // a name that was read as a month
        await context.Database.ExecuteSqlRawAsync(drop, cancellationToken);
    }

    private async Task<long> CountRestAsync(DsdeDbContext context, DateTimeOffset before, CancellationToken cancellationToken)
    {
        await dialect.AllowLongQueriesAsync(context, cancellationToken);
        return await CountAsync(
            context,
            $"SELECT count(*) AS \"Value\" FROM {TracePartitions.Rest} WHERE stored_at < {{0}}",
            [before],
            cancellationToken
        );
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
