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

    /// <summary><c>postgresql</c> or <c>sqlite</c>.</summary>
    /// <value>The default is <c>postgresql</c>.</value>
    [RegularExpression("postgresql|sqlite", ErrorMessage = "{0} must be postgresql or sqlite.")]
    public string Provider { get; set; } = PostgreSql;

    /// <summary>ADO.NET connection string of the provider.</summary>
    /// <value>There is no default.</value>
    [PasswordPropertyText(true)]
    [Required(ErrorMessage = "give for example Host=localhost;Database=dsde;Username=dsde;Password=… or Data Source=dsde.db.")]
    public string ConnectionString { get; set; } = "";
}
