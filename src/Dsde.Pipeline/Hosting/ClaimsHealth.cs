using Dsde.Pipeline.Messaging;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Dsde.Pipeline.Hosting;

/// <summary>Says how many jobs wait for another worker's claim. They are no fault of this one: it is healthy all the same.</summary>
internal sealed class ClaimsHealth(IWaitingPlace waitingPlace) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(
            HealthCheckResult.Healthy(
                waitingPlace.WaitingCount is var count and > 0
                    ? $"{count} {(count == 1 ? "job waits" : "jobs wait")} for another worker's claim to end or to run out"
                    : null
            )
        );
}
