namespace Dsde.Persistence.Migrating;

/// <summary>Brings the database's schema up to date.</summary>
public interface IDatabaseMigrator
{
    /// <summary>The database, without secrets.</summary>
    string Database { get; }

    /// <summary>Migrations that are not applied yet, oldest first.</summary>
    /// <exception cref="DatabaseUnavailableException">The database can't be reached.</exception>
    Task<IReadOnlyList<string>> FindPendingAsync(CancellationToken cancellationToken);

    /// <summary>Applies what is pending; creates the database if it is missing.</summary>
    /// <returns>What was applied.</returns>
    /// <exception cref="DatabaseUnavailableException">The database can't be reached.</exception>
    Task<IReadOnlyList<string>> MigrateAsync(CancellationToken cancellationToken);
}
