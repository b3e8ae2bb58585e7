using Dsde.Persistence;
using Dsde.Persistence.Migrating;
using Dsde.Pipeline.Jobs.Run;
using Dsde.Pipeline.Resilience;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Dsde.Pipeline.Hosting;

/// <summary>Whether the database answers and its schema is this program's.</summary>
internal sealed class DatabaseHealth(IDatabaseMigrator migrator, DatabasePatience patience) : IHealthCheck
{
    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            var schema = await patience.TryAsync(() => migrator.InspectAsync(cancellationToken));
            return schema.Problem is { } problem ? HealthCheckResult.Unhealthy(problem) : HealthCheckResult.Healthy();
        }
        catch (DatabaseUnavailableException exception)
        {
            return HealthCheckResult.Unhealthy(exception.Message);
        }
    }
}
