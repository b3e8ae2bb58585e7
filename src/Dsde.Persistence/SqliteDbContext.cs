using System.Globalization;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence;

/// <summary>
/// On SQLite: series are JSON arrays, times are text in UTC of one length, so that they sort and its date functions read them.
/// </summary>
internal sealed class SqliteDbContext(DbContextOptions<SqliteDbContext> options) : DsdeDbContext(options)
{
    private const string TimeFormat = "yyyy-MM-dd HH:mm:ss.ffffff";

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder) =>
        configurationBuilder.Properties<DateTimeOffset>().HaveConversion<UtcText>();

    /// <summary>A time as it is stored.</summary>
    public static string ToText(DateTimeOffset time) => time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);

    private sealed class UtcText()
        : Microsoft.EntityFrameworkCore.Storage.ValueConversion.ValueConverter<DateTimeOffset, string>(
            time => ToText(time),
            text => new DateTimeOffset(DateTime.ParseExact(text, TimeFormat, CultureInfo.InvariantCulture), TimeSpan.Zero)
        );
}
