using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Dsde.Persistence.Migrating;

/// <inheritdoc/>
internal sealed class DatabaseMigrator(Storage.Database database, TimeProvider time) : IDatabaseMigrator
{
    private const int MostTries = 10;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <inheritdoc/>
    public string Database => database.Describe();

    /// <inheritdoc/>
    public Task<SchemaStatus> InspectAsync(CancellationToken cancellationToken) => database.RunAsync(InspectAsync, cancellationToken);

    /// <inheritdoc/>
    /// <remarks>EF Core's lock keeps two from migrating at once, but not from making the database and the lock's own table.</remarks>
    public async Task<IReadOnlyList<string>> MigrateAsync(CancellationToken cancellationToken)
    {
        var before = await InspectAsync(cancellationToken);
        for (var tries = 1; ; tries++)
        {
            try
            {
                await database.RunAsync(
                    async (context, token) =>
                    {
                        await context.Database.MigrateAsync(token);
                        return true;
                    },
                    cancellationToken
                );
                return before.Pending;
            }
            catch (PostgresException exception) when (IsMadeByAnother(exception) && tries < MostTries)
            {
                await Task.Delay(Pause, time, cancellationToken);
            }
        }
    }

    private async Task<SchemaStatus> InspectAsync(DsdeDbContext context, CancellationToken cancellationToken)
    {
        string[] known = [.. context.Database.GetMigrations()];
        string[] applied = await context.GetService<IRelationalDatabaseCreator>().ExistsAsync(cancellationToken)
            ? [.. await context.Database.GetAppliedMigrationsAsync(cancellationToken)]
            : [];
        string[] pending = [.. known.Except(applied)];
        string[] unknown = [.. applied.Except(known)];
        var state =
            unknown.Length > 0 ? SchemaState.Ahead
            : applied.Length == 0 ? SchemaState.Missing
            : pending.Length > 0 ? SchemaState.Behind
            : SchemaState.UpToDate;
        return new SchemaStatus(Database, state, pending, unknown, known[^1]);
    }

    /// <summary>Whether what was to be made is there, or is being made, by now.</summary>
    private static bool IsMadeByAnother(PostgresException exception) =>
        exception.SqlState
            is PostgresErrorCodes.DuplicateDatabase
                or PostgresErrorCodes.DuplicateTable
                or PostgresErrorCodes.DuplicateObject
                or PostgresErrorCodes.UniqueViolation;
}
