using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Dsde.Pipeline.Telemetry;

/// <summary>
/// Metrics at /metrics, if there is HTTP at all; spans and metrics by OTLP if OTEL_EXPORTER_OTLP_ENDPOINT says where to. The other
/// variables of OpenTelemetry's SDK count as well.
/// </summary>
internal static class TelemetrySetup
{
    private const string Prefix = "OTEL_";
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>Adds it to a host; what is measured may belong to another one of this process.</summary>
    public static void AddDsdeTelemetry(this IHostApplicationBuilder builder, bool isScraped)
    {
        var variables = new ConfigurationBuilder()
            .AddEnvironmentVariables()
            .Build()
            .AsEnumerable()
            .Where(variable => variable.Key.StartsWith(Prefix, StringComparison.Ordinal))
            .ToDictionary();
        builder.Configuration.AddInMemoryCollection(variables); // the SDK reads them there
        var isExported = !string.IsNullOrWhiteSpace(variables.GetValueOrDefault(Endpoint));
        var telemetry = builder
            .Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.Clear().AddService("dsde-worker").AddEnvironmentVariableDetector());
        telemetry.WithMetrics(metrics =>
        {
            // MassTransit's own are left out: they have milliseconds and names that no Prometheus likes.
            metrics.AddMeter(PipelineMeter.Name, "Npgsql").AddRuntimeInstrumentation().AddView(MetricViews.Choose);
            if (isScraped)
            {
                metrics.AddPrometheusExporter();
            }

            if (isExported)
            {
                metrics.AddOtlpExporter();
            }
        });
        if (isExported)
        {
            // MassTransit's and RabbitMQ's own sources are left out: they know no traceparent of other languages, so that each job would
            // start a second trace there.
            telemetry.WithTracing(traces => traces.AddSource(JobSpans.SourceName, "Npgsql").AddOtlpExporter());
        }
    }

    /// <summary>
    /// Spans of a client by OTLP, if the environment says where to. They are recorded from when the services are first asked for the
    /// provider, and exported at the latest when they are disposed of.
    /// </summary>
    public static void AddDsdeClientSpans(this IServiceCollection services)
    {
        if (!string.IsNullOrWhiteSpace(Environment.GetEnvironmentVariable(Endpoint)))
        {
            services
                .AddOpenTelemetry()
                .ConfigureResource(resource => resource.Clear().AddService("dsde-client").AddEnvironmentVariableDetector())
                .WithTracing(traces => traces.AddSource(JobSpans.SourceName).AddOtlpExporter());
        }
    }
}
