using System.Reflection;
using Dsde.Persistence.Upkeep;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using Polly;
using Polly.Retry;

namespace Dsde.Persistence.Migrating;

/// <inheritdoc/>
internal sealed class DatabaseMigrator(
    Storage.Database database,
    Storage.IContextFactory contexts,
    IDatabaseUpkeep upkeep,
    TimeProvider time
) : IDatabaseMigrator
{
    private readonly ResiliencePipeline _untilMade = new ResiliencePipelineBuilder { TimeProvider = time }
        .AddRetry(
            new RetryStrategyOptions
            {
                ShouldHandle = new PredicateBuilder().Handle<PostgresException>(IsMadeByAnother),
                MaxRetryAttempts = 9,
                Delay = TimeSpan.FromMilliseconds(200),
            }
        )
        .Build();

    /// <inheritdoc/>
    public string Database => database.Describe();

    /// <inheritdoc/>
    public async Task<SchemaStatus> InspectAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await database.RunAsync(InspectAsync, cancellationToken);
        }
        catch (SqliteException exception)
        {
            throw new UnfitDatabaseException(
                $"{Database} can't be read as an SQLite database: {exception.Message.TrimEnd('.')}. "
                    + "Give another file, or one that is yet to be made.",
                exception
            );
        }
    }

    /// <inheritdoc/>
    /// <remarks>
    /// EF Core's lock keeps two from migrating at once, but not from making the database and the lock's own table. What it is about to
    /// apply it only tells its log.
    /// </remarks>
    public async Task<IReadOnlyList<string>> MigrateAsync(CancellationToken cancellationToken)
    {
        if (await InspectAsync(cancellationToken) is { State: SchemaState.Ahead or SchemaState.Foreign, Problem: { } problem })
        {
            throw new UnfitDatabaseException(problem);
        }

        return await _untilMade.ExecuteAsync(async token => await TryMigrateAsync(token), cancellationToken);
    }

    private async Task<List<string>> TryMigrateAsync(CancellationToken cancellationToken)
    {
        var applied = new List<string>();
        await database.RunAsync(
            () => contexts.Create(RelationalEventId.MigrationApplying, said => Note(said, applied)),
            async (context, token) =>
            {
                applied.Clear();
                await context.Database.MigrateAsync(token);
                return true;
            },
            cancellationToken
        );
        await upkeep.PrepareAsync(cancellationToken);
        return applied;
    }

    private static void Note(EventData said, List<string> applied)
    {
        if (said is MigrationEventData { Migration: var migration })
        {
            applied.AddRange(migration.GetType().GetCustomAttributes<MigrationAttribute>().Select(attribute => attribute.Id));
        }
    }

    private async Task<SchemaStatus> InspectAsync(DsdeDbContext context, CancellationToken cancellationToken)
    {
        string[] known = [.. context.Database.GetMigrations()];
        if (!await context.GetService<IRelationalDatabaseCreator>().ExistsAsync(cancellationToken))
        {
            return new SchemaStatus(Database, SchemaState.Missing, known, [], known[^1]);
        }

        // Somebody may migrate meanwhile: tables change together with the history, so that they fit what it says before and after.
        var contents = await SchemaContents.ReadAsync(context, cancellationToken);
        var applied = await ReadHistoryAsync(context, contents, cancellationToken);
        while (true)
        {
            contents = await SchemaContents.ReadAsync(context, cancellationToken);
            var again = await ReadHistoryAsync(context, contents, cancellationToken);
            if (again.SequenceEqual(applied))
            {
                return SchemaStatus.Judge(Database, contents, known, applied);
            }

            applied = again;
        }
    }

    private static async Task<string[]> ReadHistoryAsync(
        DsdeDbContext context,
        SchemaContents contents,
        CancellationToken cancellationToken
    ) => contents.HasReadableHistory ? [.. await context.Database.GetAppliedMigrationsAsync(cancellationToken)] : [];

    /// <summary>Whether what was to be made is there, or is being made, by now.</summary>
    private static bool IsMadeByAnother(PostgresException exception) =>
        exception.SqlState
            is PostgresErrorCodes.DuplicateDatabase
                or PostgresErrorCodes.DuplicateTable
                or PostgresErrorCodes.DuplicateObject
                or PostgresErrorCodes.UniqueViolation;
}
