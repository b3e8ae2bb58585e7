namespace Dsde.Persistence.Migrating;

/// <summary>Brings the database's schema up to date.</summary>
public interface IDatabaseMigrator
{
    /// <summary>The database, without secrets.</summary>
    string Database { get; }

    /// <summary>How the schema and the program fit; a database that does not exist has none.</summary>
    /// <exception cref="DatabaseUnavailableException">The database can't be reached.</exception>
    Task<SchemaStatus> InspectAsync(CancellationToken cancellationToken);

    /// <summary>Applies what is pending; creates the database if it is missing. Several may do so at once.</summary>
    /// <returns>What was applied, by whomever of them.</returns>
    /// <exception cref="DatabaseUnavailableException">The database can't be reached.</exception>
    Task<IReadOnlyList<string>> MigrateAsync(CancellationToken cancellationToken);
}
