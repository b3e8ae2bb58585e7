namespace Dsde.Pipeline.Hosting;

/// <summary>
/// Leaves signals to whoever started the host: the console's lifetime, which a host has otherwise, would break off its start before the
/// worker knows that it is to stop.
/// </summary>
internal sealed class CallersLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
