using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence;

/// <summary>How contexts are built for each provider.</summary>
internal static class DatabaseSetup
{
    public static DbContextOptionsBuilder<TContext> Configure<TContext>(
        DbContextOptionsBuilder<TContext> builder,
        string provider,
        string connectionString
    )
        where TContext : DsdeDbContext
    {
        builder.UseSnakeCaseNamingConvention();
        if (provider == PersistenceOptions.PostgreSql)
        {
            builder.UseNpgsql(HangingClients.Bound(connectionString));
        }
        else
        {
            builder.UseSqlite(connectionString);
        }

        return builder;
    }
}
