using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Resilience;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Messaging.Attachment;

/// <summary>
/// Runs the bus, and restarts endpoints that have lost their consumer and don't come back by themselves. If restarting doesn't help
/// although the broker is in good order, the process is asked to end, for whatever runs it to start a new one.
/// </summary>
internal sealed class BusWatchdog(
    IWatchedBus bus,
    IHostApplicationLifetime lifetime,
    WorkerOptions options,
    BrokerPatience broker,
    TimeProvider time,
    ILogger<BusWatchdog> logger
) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly List<(WatchedEndpoint Endpoint, RestartSchedule Schedule)> _watched =
    [
        .. bus.Endpoints.Select(endpoint => (endpoint, new RestartSchedule(TimeSpan.FromSeconds(options.ReattachSeconds)))),
    ];

    private readonly Dictionary<WatchedEndpoint, (DateTimeOffset Since, bool IsTold)> _detached = [];
    private bool _isBrokerGone; // as its endpoints show it: others may have noticed what they do not
    private bool _isBrokerBack; // it answers again, and its endpoints are not all attached yet

    /// <summary>Why the process is to end; null while it isn't.</summary>
    public string? GaveUp { get; private set; }

    /// <summary>Connects the endpoints to the running bus.</summary>
    public async Task ConnectAsync(CancellationToken stoppingToken)
    {
        foreach (var (endpoint, _) in _watched)
        {
            await endpoint.ConnectAsync(stoppingToken);
        }
    }

    /// <summary>Looks after every endpoint once.</summary>
    public async Task LookAsync(CancellationToken stoppingToken)
    {
        _watched.ForEach(watched => watched.Endpoint.LookAtConnection());
        await TellAsync(stoppingToken);
        await LookForBrokerAsync(stoppingToken);
        foreach (var (endpoint, schedule) in _watched)
        {
            await LookAfterAsync(endpoint, schedule, stoppingToken);
        }
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await bus.StopAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await StartBusAsync(stoppingToken);
        await ConnectAsync(stoppingToken);
        using var timer = new PeriodicTimer(Interval, time);
        while (GaveUp is null && await timer.WaitForNextTickAsync(stoppingToken))
        {
            await LookAsync(stoppingToken);
        }
    }

    /// <summary>MassTransit starts only once, and not at all after some errors: first the broker has to be there.</summary>
    private Task StartBusAsync(CancellationToken stoppingToken) =>
        broker.WaitUntilSoundAsync(
            async () => await bus.FindBrokerFaultAsync(stoppingToken) ?? await TryStartAsync(stoppingToken),
            fault => _watched.ForEach(watched => watched.Endpoint.Explain(fault)),
            stoppingToken
        );

    private async Task<string?> TryStartAsync(CancellationToken stoppingToken)
    {
        try
        {
            await bus.StartAsync(stoppingToken);
            return null;
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            return exception.Message; // the broker went away just now, in whatever way
        }
    }

    /// <summary>
    /// Logs what has gone and what is back: the broker, which takes all endpoints with it, or an endpoint that has lost its consumer
    /// although the broker is there.
    /// </summary>
    private async Task TellAsync(CancellationToken stoppingToken)
    {
        var detached = _watched.Select(watched => watched.Endpoint).Where(endpoint => endpoint.WasAttached && !endpoint.Status.IsAttached);
        var news = detached.Where(endpoint => !_detached.ContainsKey(endpoint)).ToList();
        if (news.Count > 0 && !broker.Outage.IsAway && await bus.FindBrokerFaultAsync(stoppingToken) is { } fault)
        {
            broker.Outage.Away(fault);
        }

        var isAway = broker.Outage.IsAway;
        _isBrokerGone |= isAway && news.Count > 0;
        foreach (var endpoint in news)
        {
            var status = endpoint.Status;
            _detached[endpoint] = (status.DetachedSince ?? time.GetUtcNow(), IsTold: !isAway);
            if (!isAway)
            {
                logger.EndpointDetached(status.Queue, status.Reason);
            }
        }

        foreach (var (endpoint, (since, isTold)) in _detached.Where(known => known.Key.Status.IsAttached).ToList())
        {
            _detached.Remove(endpoint);
            if (isTold)
            {
                logger.EndpointAttached(endpoint.Status.Queue, (time.GetUtcNow() - since).TotalSeconds);
            }
        }

        if (_isBrokerGone && _watched.TrueForAll(watched => watched.Endpoint.Status.IsAttached))
        {
            _isBrokerGone = false;
            broker.Outage.Back(time.GetTimestamp());
        }
    }

    /// <summary>While the broker is away: asks whether it is back, so that its endpoints soon are, too.</summary>
    private async Task LookForBrokerAsync(CancellationToken stoppingToken)
    {
        if (!_isBrokerGone)
        {
            _isBrokerBack = false;
        }
        else if (await bus.FindBrokerFaultAsync(stoppingToken) is { } fault)
        {
            _isBrokerBack = false;
            foreach (var (endpoint, schedule) in _watched.Where(watched => !watched.Endpoint.Status.IsAttached))
            {
                endpoint.Explain(fault);
                schedule.Postpone(time.GetUtcNow(), endpoint.WasAttached);
            }
        }
        else if (!_isBrokerBack)
        {
            _isBrokerBack = true;
            _watched.ForEach(watched => watched.Schedule.Hasten(time.GetUtcNow()));
        }
    }

    private async Task LookAfterAsync(WatchedEndpoint endpoint, RestartSchedule schedule, CancellationToken stoppingToken)
    {
        var status = endpoint.Status;
        if (GaveUp is not null || !schedule.IsDue(time.GetUtcNow(), status.DetachedSince, endpoint.WasAttached))
        {
            return;
        }

        if (await bus.FindBrokerFaultAsync(stoppingToken) is { } fault)
        {
            endpoint.Explain(fault);
            schedule.Postpone(time.GetUtcNow(), endpoint.WasAttached);
        }
        else if (schedule.IsExhausted)
        {
            GaveUp =
                $"{endpoint.Status.Describe(time.GetUtcNow())} The broker is in good order, and {RestartSchedule.MostRestarts} "
                + $"restarts of the endpoint did not bring it back.";
            logger.EndpointGivenUp(status.Queue, RestartSchedule.MostRestarts);
            lifetime.StopApplication();
        }
        else
        {
            if (!schedule.IsAfterOutage)
            {
                logger.EndpointRestarted(status.Queue, status.Reason);
            }

            schedule.Restarted(time.GetUtcNow());
            await endpoint.ConnectAsync(stoppingToken);
        }
    }
}
