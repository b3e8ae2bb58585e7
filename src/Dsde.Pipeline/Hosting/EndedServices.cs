namespace Dsde.Pipeline.Hosting;

/// <summary>
/// Services of a worker that have ended before the worker was to end. The host stops for each, and says nothing to its caller.
/// </summary>
internal static class EndedServices
{
    /// <summary>
    /// A service that was cancelled though nobody has told it to stop yet, as by a client library that gave up waiting. The host takes that
    /// for an ordinary end.
    /// </summary>
    /// <param name="services">Of a host that nobody has told to stop.</param>
    /// <returns>Its name; null if all go on or have done their work.</returns>
    public static string? FindCancelled(IEnumerable<IHostedService> services) =>
        services.OfType<BackgroundService>().FirstOrDefault(service => service.ExecuteTask is { IsCanceled: true })?.GetType().Name;

    /// <exception cref="InvalidOperationException">One has failed.</exception>
    public static void RequireUnharmed(IEnumerable<IHostedService> services)
    {
        foreach (var service in services.OfType<BackgroundService>())
        {
            if (service.ExecuteTask is { IsFaulted: true, Exception.InnerException: { } fault })
            {
                throw new InvalidOperationException($"{service.GetType().Name} has failed: {fault.Message}", fault);
            }
        }
    }
}
