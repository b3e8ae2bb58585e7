using Dsde.Pipeline.Messaging.Routing;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Dsde.Pipeline.Hosting;

/// <summary>Says how many jobs wait for a model that no worker has served. They keep this worker from nothing: it is ready all the
/// same.</summary>
internal sealed class ParkedHealth(ParkedJobs parked) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var count = parked.Count;
        var models = string.Join(", ", parked.Models);
        return Task.FromResult(
            count == 0
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Degraded(
                    $"{count} {(count == 1 ? "job waits" : "jobs wait")} for models that no worker has served"
                        + (models.Length > 0 ? $", as far as is known here: {models}" : "")
                )
        );
    }
}
