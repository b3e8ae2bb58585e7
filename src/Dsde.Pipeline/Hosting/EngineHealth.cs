using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Dsde.Pipeline.Hosting;

/// <summary>Whether the engine gets on with what it has.</summary>
internal sealed class EngineHealth(IEngineLiveness engine) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(
            engine.StuckSince is { } since
                ? HealthCheckResult.Unhealthy(
                    $"It has had work since {since.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ} without getting on: it hangs. Start the worker again."
                )
                : HealthCheckResult.Healthy()
        );
}
