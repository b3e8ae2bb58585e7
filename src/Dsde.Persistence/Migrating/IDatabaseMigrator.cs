namespace Dsde.Persistence.Migrating;

/// <summary>Brings the database's schema up to date.</summary>
public interface IDatabaseMigrator
{
    /// <summary>The database, without secrets.</summary>
    string Database { get; }

    /// <summary>How the schema and the program fit; a database that does not exist has none.</summary>
    /// <exception cref="DatabaseUnavailableException">The database can't be reached.</exception>
    /// <exception cref="UnfitDatabaseException">The file is no database.</exception>
    Task<SchemaStatus> InspectAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Applies what is pending, and makes room for what comes; creates the database if it is missing. Several may do so at once.
    /// </summary>
    /// <returns>What this one of them has applied, oldest first.</returns>
    /// <exception cref="DatabaseUnavailableException">The database can't be reached.</exception>
    /// <exception cref="UnfitDatabaseException">It is another program's, or a newer one has migrated it.</exception>
    Task<IReadOnlyList<string>> MigrateAsync(CancellationToken cancellationToken);
}
