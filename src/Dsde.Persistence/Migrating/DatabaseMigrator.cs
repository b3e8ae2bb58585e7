using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Migrating;

/// <inheritdoc/>
internal sealed class DatabaseMigrator(Storage.Database database) : IDatabaseMigrator
{
    /// <inheritdoc/>
    public string Database => database.Describe();

    /// <inheritdoc/>
    public Task<IReadOnlyList<string>> FindPendingAsync(CancellationToken cancellationToken) =>
        database.RunAsync<IReadOnlyList<string>>(
            async (context, token) => [.. await context.Database.GetPendingMigrationsAsync(token)],
            cancellationToken
        );

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> MigrateAsync(CancellationToken cancellationToken)
    {
        var pending = await database.RunAsync<IReadOnlyList<string>>(FindPendingOrAllAsync, cancellationToken);
        await database.RunAsync(
            async (context, token) =>
            {
                await context.Database.MigrateAsync(token);
                return true;
            },
            cancellationToken
        );
        return pending;
    }

    /// <summary>A database that does not exist yet has everything before it.</summary>
    private static async Task<IReadOnlyList<string>> FindPendingOrAllAsync(DsdeDbContext context, CancellationToken cancellationToken) =>
        [
            .. await context.Database.CanConnectAsync(cancellationToken)
                ? await context.Database.GetPendingMigrationsAsync(cancellationToken)
                : context.Database.GetMigrations(),
        ];
}
