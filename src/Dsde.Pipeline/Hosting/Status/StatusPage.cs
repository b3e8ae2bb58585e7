using System.Net;
using System.Reflection;
using Microsoft.AspNetCore.Routing;

namespace Dsde.Pipeline.Hosting.Status;

/// <summary>
/// A page for people who look at one worker, at <c>/status</c> beside health and metrics: what runs, how far it speculates, what is
/// accepted, what waits. It is all here, asks nobody else for anything, and is told every second by server-sent events.
/// </summary>
internal static class StatusPage
{
    /// <summary>Where it is.</summary>
    public const string Path = "/status";

    /// <summary>Where its events are.</summary>
    public const string EventsPath = $"{Path}/events";

    private const string Development = "Development";

    /// <summary>Nothing from elsewhere, nothing but this page's own files, in no frame.</summary>
    private const string ContentSecurity =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        + "frame-ancestors 'none'";

    private static readonly (string Path, string File, string Type)[] Files =
    [
        (Path, "page.html", "text/html; charset=utf-8"),
        ($"{Path}/page.css", "page.css", "text/css; charset=utf-8"),
        ($"{Path}/page.js", "page.js", "text/javascript; charset=utf-8"),
        ($"{Path}/icon.svg", "icon.svg", "image/svg+xml"),
    ];

    /// <summary>Whether a worker serves it.</summary>
    /// <param name="options">The worker's.</param>
    /// <param name="environment">The host's environment, as .NET calls it; null for production.</param>
    public static bool IsOn(WorkerOptions options, string? environment) =>
        bool.TryParse(options.StatusPage, out var said)
            ? said
            : Development.Equals(environment, StringComparison.OrdinalIgnoreCase) && IsLoopback(options);

    /// <summary>The host's environment, by the variables that .NET has for it.</summary>
    public static string? FindEnvironment() =>
        Environment.GetEnvironmentVariable("ASPNETCORE_ENVIRONMENT") ?? Environment.GetEnvironmentVariable("DOTNET_ENVIRONMENT");

    /// <summary>Adds it to a server whose services have a <see cref="StatusFeed"/>.</summary>
    /// <param name="routes">Of the server.</param>
    /// <param name="options">The worker's.</param>
    public static void Map(IEndpointRouteBuilder routes, WorkerOptions options)
    {
        var isOwn = IsLoopback(options);
        foreach (var (path, file, type) in Files)
        {
            var content = Read(file);
            Serve(path, type, context => context.Response.Body.WriteAsync(content, context.RequestAborted).AsTask());
        }

        Serve(
            EventsPath,
            "text/event-stream",
            context =>
            {
                var feed = context.RequestServices.GetRequiredService<StatusFeed>();
                return TypedResults.ServerSentEvents(feed.ReadAsync(context.RequestAborted)).ExecuteAsync(context);
            }
        );

        void Serve(string path, string type, RequestDelegate answer) =>
            routes.MapGet(
                path,
                context =>
                {
                    if (isOwn && !IsOwnName(context.Request.Host.Host))
                    {
                        context.Response.StatusCode = StatusCodes.Status404NotFound;
                        return Task.CompletedTask;
                    }

                    Protect(context.Response, type);
                    return answer(context);
                }
            );
    }

    /// <summary>
    /// Whether this machine is asked for by one of its own names. Otherwise any page of the web could ask, under a name of its own that it
    /// has lead here.
    /// </summary>
    private static bool IsOwnName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    private static void Protect(HttpResponse response, string type)
    {
        response.ContentType = type;
        response.Headers.CacheControl = "no-store"; // a worker of another version may answer next
        response.Headers.ContentSecurityPolicy = ContentSecurity;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Referrer-Policy"] = "no-referrer";
        response.Headers["Cross-Origin-Resource-Policy"] = "same-origin";
    }

    private static bool IsLoopback(WorkerOptions options) => IPAddress.IsLoopback(IPAddress.Parse(options.HealthAddress));

    private static byte[] Read(string file)
    {
        using var resource =
            Assembly.GetExecutingAssembly().GetManifestResourceStream($"status/{file}")
            ?? throw new InvalidOperationException($"The program has no resource status/{file}.");
        using var content = new MemoryStream();
        resource.CopyTo(content);
        return content.ToArray();
    }
}
