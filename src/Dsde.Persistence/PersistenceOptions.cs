using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Dsde.Persistence;

/// <summary>Which database.</summary>
public sealed class PersistenceOptions
{
    /// <summary>Configuration section.</summary>
    public const string SectionName = "Dsde:Persistence";

    /// <summary>Value of <see cref="Provider"/> for PostgreSQL.</summary>
    public const string PostgreSql = "postgresql";

    /// <summary>Value of <see cref="Provider"/> for SQLite.</summary>
    public const string Sqlite = "sqlite";

    /// <summary>Which database; workers need PostgreSQL, SQLite is what <c>dsde run</c> uses.</summary>
    /// <value><c>postgresql</c> or <c>sqlite</c>. The default is <c>postgresql</c>.</value>
    [RegularExpression("postgresql|sqlite", ErrorMessage = "{0} must be postgresql or sqlite.")]
    public string Provider { get; set; } = PostgreSql;

    /// <summary>
    /// ADO.NET connection string of the provider. For PostgreSQL its <c>Options</c> are given
    /// <c>idle_in_transaction_session_timeout=10s</c> and <c>statement_timeout=60s</c> unless they set them (behind PgBouncer:
    /// <c>ignore_startup_parameters = options</c>); <c>Maximum Pool Size</c> bounds a worker's connections (docs/scale.md#connections).
    /// </summary>
    /// <value>As Npgsql or Microsoft.Data.Sqlite have it. The default is empty: it has to be given.</value>
    [PasswordPropertyText(true)]
    [Required(ErrorMessage = "give for example Host=localhost;Database=dsde;Username=dsde;Password=… or Data Source=dsde.db.")]
    public string ConnectionString { get; set; } = "";
}
