using Dsde.Persistence.Analysis;
using Dsde.Persistence.Migrating;
using Dsde.Persistence.Storage;
using Dsde.Persistence.Storage.Postgres;
using Dsde.Persistence.Storage.Sqlite;
using Dsde.Persistence.Upkeep;
using Dsde.Persistence.Workers;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Dsde.Persistence;

/// <summary>Registration.</summary>
public static class PersistenceServices
{
    /// <summary>
    /// Adds <see cref="IJobStore"/>, <see cref="IReportReader"/>, <see cref="IWorkerRegistry"/>, <see cref="IDatabaseMigrator"/> and
    /// <see cref="IDatabaseUpkeep"/> for a database. A <see cref="TimeProvider"/> must be registered.
    /// </summary>
    public static IServiceCollection AddDsdePersistence(this IServiceCollection services, PersistenceOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Provider == PersistenceOptions.PostgreSql)
        {
            AddContext<PostgresDbContext>(services, options);
            services.AddSingleton<IWorkerRegistry>(provider => new PostgresWorkerRegistry(
                provider.GetRequiredService<Database>(),
                options,
                provider.GetRequiredService<TimeProvider>()
            ));
            services.AddSingleton<IDialect, PostgresDialect>();
            services.AddSingleton<ITraceKeeping, PostgresTraceKeeping>();
        }
        else
        {
            AddContext<SqliteDbContext>(services, options);
            services.AddSingleton<IWorkerRegistry, WorkerRegistry>();
            services.AddSingleton<IDialect, SqliteDialect>();
            services.AddSingleton<ITraceKeeping, SqliteTraceKeeping>();
        }

        services.AddSingleton(provider => new Database(
            provider.GetRequiredService<IContextFactory>(),
            provider.GetRequiredService<IDialect>(),
            options
        ));
        services.AddSingleton<IJobStore, JobStore>();
        services.AddSingleton<IReportReader, TraceReader>();
        services.AddSingleton<IDatabaseUpkeep, DatabaseUpkeep>();
        services.AddSingleton<IDatabaseMigrator, DatabaseMigrator>();
        return services;
    }

    private static void AddContext<TContext>(IServiceCollection services, PersistenceOptions options)
        where TContext : DsdeDbContext
    {
        services.AddPooledDbContextFactory<TContext>(builder =>
            DatabaseSetup.Configure((DbContextOptionsBuilder<TContext>)builder, options.Provider, options.ConnectionString)
        );
        services.AddSingleton<IContextFactory, ContextFactory<TContext>>();
    }
}
