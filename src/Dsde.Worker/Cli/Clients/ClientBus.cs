using Dsde.Batches.Following;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Messaging;
using MassTransit;

namespace Dsde.Worker.Cli.Clients;

/// <summary>
/// MassTransit's bus of a client, made when it is needed and replaced when it fails. A bus may stay broken after an outage that comes while
/// it starts or closes a connection, although the broker is back; so nothing is expected of one that has failed once.
/// </summary>
/// <param name="rabbitMq">The broker.</param>
/// <param name="follower">Sees the ends of jobs; null if nobody follows any.</param>
internal sealed class ClientBus(RabbitMqOptions rabbitMq, BatchFollower? follower) : IAsyncDisposable
{
    /// <summary>Longer than a busy machine takes to connect.</summary>
    private static readonly TimeSpan OpenTime = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _opening = new(1);
    private Link? _link;

    /// <summary>Does something with a bus that is connected.</summary>
    /// <param name="work">What.</param>
    /// <param name="limit">How long it may take.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="TimeoutException">It took longer, or no bus could be connected.</exception>
    public async Task UseAsync(Func<IBus, CancellationToken, Task> work, TimeSpan limit, CancellationToken cancellationToken)
    {
        var link = await OpenAsync(cancellationToken);
        try
        {
            await WithinAsync(limit, token => work(link.Bus, token), cancellationToken);
        }
        catch (Exception exception) when (exception is not MessageTooLargeException)
        {
            if (Interlocked.CompareExchange(ref _link, null, link) == link)
            {
                link.Leave();
            }

            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _link, null) is { } link)
        {
            await link.StopAsync();
        }

        _opening.Dispose();
    }

    private async Task<Link> OpenAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _link) is { } open)
        {
            return open;
        }

        await _opening.WaitAsync(cancellationToken);
        try
        {
            return _link ??= await ConnectAsync(cancellationToken);
        }
        finally
        {
            _opening.Release();
        }
    }

    private async Task<Link> ConnectAsync(CancellationToken cancellationToken)
    {
        var link = new Link(rabbitMq, follower);
        try
        {
            await WithinAsync(OpenTime, link.StartAsync, cancellationToken);
            return link;
        }
        catch
        {
            link.Leave();
            throw;
        }
    }

    private static async Task WithinAsync(TimeSpan limit, Func<CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        using var attempt = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        attempt.CancelAfter(limit);
        try
        {
            await Task.Run(() => work(attempt.Token), attempt.Token).WaitAsync(attempt.Token);
        }
        catch (OperationCanceledException exception) when (attempt.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"It took longer than {LimitedPatience.Describe(limit)}.", exception);
        }
    }

    /// <summary>One bus, which nobody starts a second time.</summary>
    private sealed class Link
    {
        private readonly IHost _host;

        public Link(RabbitMqOptions rabbitMq, BatchFollower? follower)
        {
            var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
            builder.Logging.AddSimpleConsole(console => console.SingleLine = true).SetMinimumLevel(LogLevel.Critical);
            builder.Services.AddSingleton<IHostLifetime, CallersLifetime>();
            if (follower is not null)
            {
                builder.Services.AddSingleton(follower);
            }

            builder.Services.AddRabbitMqClient(rabbitMq, follower is null ? null : bus => bus.AddConsumer<FollowerConsumer>());
            _host = builder.Build();
            Bus = _host.Services.GetRequiredService<IBus>();
        }

        public IBus Bus { get; }

        public async Task StartAsync(CancellationToken cancellationToken)
        {
            await _host.StartAsync(cancellationToken);
            await _host.Services.GetRequiredService<IBusControl>().WaitForHealthStatus(BusHealthStatus.Healthy, cancellationToken);
        }

        /// <summary>Stops it; what doesn't stop in time, for example because the broker is away, ends with the program.</summary>
        public async Task StopAsync()
        {
            using var patience = new CancellationTokenSource(StopTime);
            await Task.Run(() => _host.StopAsync(patience.Token))
                .WaitAsync(StopTime)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        /// <summary>Stops it without waiting for that.</summary>
        public void Leave() => _ = StopAsync();
    }
}
