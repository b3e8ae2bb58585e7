using Dsde.Persistence;
using Dsde.Persistence.Migrating;
using Dsde.Pipeline.Telemetry;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Dsde.Pipeline.Hosting;

/// <summary>Whether the database answers and its schema is up to date.</summary>
internal sealed class DatabaseHealth(IDatabaseMigrator migrator) : IHealthCheck
{
    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            var pending = await migrator.FindPendingAsync(cancellationToken);
            return pending.Count == 0
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Unhealthy($"{pending.Count} migrations are pending: run dsde db migrate.");
        }
        catch (DatabaseUnavailableException exception)
        {
            return HealthCheckResult.Unhealthy(exception.Message);
        }
    }
}
