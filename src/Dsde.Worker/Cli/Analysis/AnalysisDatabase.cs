using Dsde.Persistence;
using Dsde.Persistence.Analysis;
using Dsde.Persistence.Migrating;
using Dsde.Pipeline;

namespace Dsde.Worker.Cli.Analysis;

/// <summary>A database that is only read.</summary>
internal sealed class AnalysisDatabase : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    private AnalysisDatabase(PersistenceOptions options) =>
        _services = new ServiceCollection().AddSingleton(TimeProvider.System).AddDsdePersistence(options).BuildServiceProvider();

    /// <summary>What people call it.</summary>
    public string Name => _services.GetRequiredService<IDatabaseMigrator>().Database;

    /// <summary>Its traces.</summary>
    public IReportReader Traces => _services.GetRequiredService<IReportReader>();

    /// <summary>Opens it.</summary>
    /// <exception cref="ExpectedFailureException">Its schema is not this program's.</exception>
    public static async Task<AnalysisDatabase> OpenAsync(PersistenceOptions options, CancellationToken cancellationToken)
    {
        var database = new AnalysisDatabase(options);
        try
        {
            var schema = await database._services.GetRequiredService<IDatabaseMigrator>().InspectAsync(cancellationToken);
            return schema.Problem is { } problem ? throw new ExpectedFailureException(problem) : database;
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
