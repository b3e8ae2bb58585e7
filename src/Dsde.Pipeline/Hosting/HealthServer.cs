using System.Net;
using System.Net.Sockets;
using Dsde.Pipeline.Telemetry;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Dsde.Pipeline.Hosting;

/// <summary>
/// Health and metrics over HTTP, and their export: a host of its own beside the worker's, because it answers before there is anything to
/// work with, and until all is done.
/// </summary>
internal static class HealthServer
{
    /// <summary>Starts it.</summary>
    /// <exception cref="ExpectedFailureException">It has no place to listen at.</exception>
    public static async Task<IHost> StartAsync(
        WorkerOptions options,
        WorkerHealth health,
        ILoggerFactory loggers,
        CancellationToken cancellationToken
    )
    {
        var socket = HealthSocket.Open(options);
        var host = socket is null ? BuildExport(loggers) : Build(socket, health, loggers);
        await host.StartAsync(cancellationToken);
        if (socket?.LocalEndPoint is IPEndPoint at)
        {
            loggers.CreateLogger(typeof(HealthServer)).HealthListens($"http://{at}");
        }

        return host;
    }

    private static WebApplication Build(Socket socket, WorkerHealth health, ILoggerFactory loggers)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton<IHostLifetime, CallersLifetime>();
        builder
            .WebHost.UseKestrelCore()
            .UseSockets(sockets => sockets.CreateBoundListenSocket = _ => socket)
            .ConfigureKestrel(kestrel => kestrel.Listen((IPEndPoint)socket.LocalEndPoint!));
        builder.Services.AddRoutingCore();
        builder.AddDsdeTelemetry(isScraped: true);
        var application = builder.Build();
        application.MapGet(
            "/health/live",
            async context => await HealthReportText.WriteAsync(context, await health.CheckLiveAsync(context.RequestAborted))
        );
        application.MapGet(
            "/health/ready",
            async context => await HealthReportText.WriteAsync(context, await health.CheckReadyAsync(context.RequestAborted))
        );
        application.MapPrometheusScrapingEndpoint();
        return application;
    }

    private static IHost BuildExport(ILoggerFactory loggers)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton<IHostLifetime, CallersLifetime>();
        builder.AddDsdeTelemetry(isScraped: false);
        return builder.Build();
    }
}
