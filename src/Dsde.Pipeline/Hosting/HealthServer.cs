using System.Net;
using System.Net.Sockets;
using Dsde.Pipeline.Hosting.Status;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Hosting;

/// <summary>
/// Health, metrics and the status page over HTTP, and the export of metrics and spans: a host of its own beside the worker's, because it
/// answers before there is anything to
/// work with, and until all is done.
/// </summary>
internal static class HealthServer
{
    /// <summary>Starts it.</summary>
    /// <param name="options">Where it listens, and whether there is a status page.</param>
    /// <param name="status">What it says of the worker.</param>
    /// <param name="loggers">Where logs go.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <exception cref="ExpectedFailureException">It has no place to listen at.</exception>
    public static async Task<IHost> StartAsync(
        WorkerOptions options,
        WorkerStatus status,
        ILoggerFactory loggers,
        CancellationToken cancellationToken
    )
    {
        var socket = HealthSocket.Open(options);
        var hasPage = StatusPage.IsOn(options, StatusPage.FindEnvironment());
        var host = socket is null ? BuildExport(loggers) : Build(socket, options, status, hasPage, loggers);
        await host.StartAsync(cancellationToken);
        if (socket?.LocalEndPoint is IPEndPoint at)
        {
            var logger = loggers.CreateLogger(typeof(HealthServer));
            logger.HealthListens($"http://{at}");
            if (hasPage)
            {
                logger.StatusPageServed($"http://{at}{StatusPage.Path}");
            }
        }

        return host;
    }

    private static WebApplication Build(Socket socket, WorkerOptions options, WorkerStatus status, bool hasPage, ILoggerFactory loggers)
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
        if (hasPage)
        {
            builder.Services.AddSingleton(TimeProvider.System);
            builder.Services.AddSingleton(status);
            builder.Services.AddSingleton<StatusFeed>();
            builder.Services.AddHostedService(services => services.GetRequiredService<StatusFeed>());
        }

        var application = builder.Build();
        application.MapGet(
            "/health/live",
            async context => await HealthReportText.WriteAsync(context, await status.Health.CheckLiveAsync(context.RequestAborted))
        );
        application.MapGet(
            "/health/ready",
            async context => await HealthReportText.WriteAsync(context, await status.Health.CheckReadyAsync(context.RequestAborted))
        );
        application.MapPrometheusScrapingEndpoint();
        if (hasPage)
        {
            StatusPage.Map(application, options);
        }

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
