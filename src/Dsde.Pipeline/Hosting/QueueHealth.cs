using Dsde.Pipeline.Messaging.Attachment;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Dsde.Pipeline.Hosting;

/// <summary>Whether every endpoint has its consumer in the broker, since when not, and when messages came last.</summary>
internal sealed class QueueHealth(IWatchedBus bus, TimeProvider time) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var now = time.GetUtcNow();
        var statuses = bus.Endpoints.Select(endpoint => endpoint.Status).ToList();
        var description = string.Join("; ", statuses.Select(status => status.Describe(now)));
        var data = statuses.ToDictionary(
            status => status.Queue,
            status =>
                (object)
                    new
                    {
                        status.IsAttached,
                        DetachedSeconds = (now - status.DetachedSince)?.TotalSeconds,
                        LastDeliverySeconds = (now - status.LastDelivery)?.TotalSeconds,
                    }
        );
        return Task.FromResult(
            statuses.TrueForAll(status => status.IsAttached)
                ? HealthCheckResult.Healthy(description, data)
                : HealthCheckResult.Unhealthy(description, data: data)
        );
    }
}
