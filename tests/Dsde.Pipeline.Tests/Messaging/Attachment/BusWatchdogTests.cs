using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Messaging.Attachment;
using Dsde.Pipeline.Resilience;
using Dsde.Pipeline.Tests.Telemetry;
using MassTransit;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;

namespace Dsde.Pipeline.Tests.Messaging.Attachment;

/// <summary>What the watchdog decides, on a bus and a clock that do what the test says.</summary>
public sealed class BusWatchdogTests : IDisposable
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
    private readonly FakeBus _bus;
    private readonly FakeLifetime _lifetime = new();
    private readonly LogLines _log = new();
    private readonly BrokerPatience _broker;
    private readonly BusWatchdog _watchdog;

    public BusWatchdogTests()
    {
        _bus = new FakeBus(_time);
        _broker = new BrokerPatience(_time, _log.For<BrokerPatience>());
        _watchdog = new BusWatchdog(_bus, _lifetime, new WorkerOptions { ReattachSeconds = 60 }, _broker, _time, _log.For<BusWatchdog>());
    }

    public void Dispose() => _watchdog.Dispose();

    [Fact]
    public async Task An_endpoint_is_unhealthy_until_it_has_its_consumer_and_whenever_it_has_none()
    {
        await _watchdog.ConnectAsync(TestContext.Current.CancellationToken);
        (await HealthAsync()).Status.ShouldBe(HealthStatus.Unhealthy);

        await _bus.Last.Ready(null!);
        (await HealthAsync()).ShouldBe((HealthStatus.Healthy, "jobs attached, no delivery yet"));

        await _bus.Last.Completed(null!);
        _time.Advance(TimeSpan.FromSeconds(7));
        (await HealthAsync()).ShouldBe(
            (
                HealthStatus.Unhealthy,
                "jobs has no consumer since 2026-01-02T03:04:05Z (7 s, no delivery yet): Its channel or its consumer was closed."
            )
        );
    }

    [Fact]
    public async Task An_endpoint_that_is_idle_or_comes_back_by_itself_is_left_alone()
    {
        await ConnectReadyAsync();
        await PassAsync(TimeSpan.FromHours(1));
        await _bus.Last.Completed(null!);
        await PassAsync(TimeSpan.FromSeconds(59));
        await _bus.Last.Ready(null!);
        await PassAsync(TimeSpan.FromHours(1));

        _bus.Connected.ShouldBe(1);
    }

    [Fact]
    public async Task An_endpoint_that_stays_without_consumer_is_restarted()
    {
        await ConnectReadyAsync();
        await _bus.Last.Completed(null!);
        await PassAsync(TimeSpan.FromSeconds(60));
        await _bus.Last.Ready(null!);

        _bus.Connected.ShouldBe(2);
        _bus.Stopped.ShouldBe(1);
        (await HealthAsync()).Status.ShouldBe(HealthStatus.Healthy);
    }

    [Fact]
    public async Task A_delivery_that_is_called_off_tells_that_the_consumer_is_gone_before_the_bus_does()
    {
        await ConnectReadyAsync();
        using var delivery = new CancellationTokenSource();
        var dealt = new TaskCompletionSource();
        var dealing = _bus.Last.WatchAsync(() => dealt.Task, () => true, delivery.Token);
        _time.Advance(TimeSpan.FromSeconds(5));
        (await HealthAsync()).ShouldBe((HealthStatus.Healthy, "jobs attached, last delivery 5 s ago"));

        await delivery.CancelAsync();

        (await HealthAsync()).Status.ShouldBe(HealthStatus.Unhealthy);
        await PassAsync(TimeSpan.FromSeconds(60));
        _bus.Connected.ShouldBe(2); // though what was delivered is still being dealt with
        dealt.SetResult();
        await dealing;
    }

    [Fact]
    public async Task A_connection_that_has_closed_is_seen_though_nobody_tells()
    {
        await ConnectReadyAsync();
        var isConnected = true;
        await _bus.Last.WatchAsync(() => Task.CompletedTask, () => isConnected, CancellationToken.None);
        await PassAsync(TimeSpan.FromMinutes(10));
        (await HealthAsync()).Status.ShouldBe(HealthStatus.Healthy);

        (isConnected, _bus.Fault) = (false, "RabbitMQ can't be reached.");
        await PassAsync(TimeSpan.FromSeconds(1));
        _log.Lines.Select(line => line.Id).ShouldBe([2050]);
        (await HealthAsync()).Status.ShouldBe(HealthStatus.Unhealthy);

        _bus.Fault = null;
        await PassAsync(TimeSpan.FromSeconds(5));
        _bus.Connected.ShouldBe(2);
        await _bus.Last.Ready(null!);
        await PassAsync(TimeSpan.FromSeconds(5));
        _log.Lines.Select(line => line.Id).ShouldBe([2050, 2051]);
        (await HealthAsync()).Status.ShouldBe(HealthStatus.Healthy);
    }

    [Fact]
    public async Task An_endpoint_that_is_ready_again_is_not_judged_by_a_connection_of_before()
    {
        await ConnectReadyAsync();
        await _bus.Last.WatchAsync(() => Task.CompletedTask, () => false, CancellationToken.None);
        await _bus.Last.Ready(null!);
        await PassAsync(TimeSpan.FromSeconds(5));

        (await HealthAsync()).Status.ShouldBe(HealthStatus.Healthy);
    }

    [Fact]
    public async Task What_an_earlier_connection_tells_does_not_count()
    {
        await ConnectReadyAsync();
        var earlier = _bus.Last;
        await earlier.Completed(null!);
        await PassAsync(TimeSpan.FromSeconds(60));

        await earlier.Ready(null!);
        (await HealthAsync()).Status.ShouldBe(HealthStatus.Unhealthy);
        await _bus.Last.Ready(null!);
        await earlier.Completed(null!);
        (await HealthAsync()).Status.ShouldBe(HealthStatus.Healthy);
    }

    [Fact]
    public async Task While_the_broker_is_away_nothing_is_restarted_and_health_says_what_is_wrong_with_it()
    {
        await ConnectReadyAsync();
        await _bus.Last.Completed(null!);
        _bus.Fault = "RabbitMQ can't be reached.";
        await PassAsync(TimeSpan.FromHours(1));
        _bus.Connected.ShouldBe(1);
        (await HealthAsync()).Description.ShouldEndWith(": RabbitMQ can't be reached.");

        _bus.Fault = null;
        await PassAsync(TimeSpan.FromSeconds(3));
        _bus.Connected.ShouldBe(1); // it may come back by itself
        await PassAsync(TimeSpan.FromSeconds(1));
        _bus.Connected.ShouldBe(2);
        await PassAsync(TimeSpan.FromSeconds(55));
        _bus.Connected.ShouldBe(2); // a restart takes its time
        _watchdog.GaveUp.ShouldBeNull();
    }

    [Fact]
    public async Task When_restarts_are_in_vain_though_the_broker_is_in_order_the_process_is_asked_to_end()
    {
        await ConnectReadyAsync();
        await _bus.Last.Completed(null!);
        await PassAsync(TimeSpan.FromSeconds(60 + 120 + 240 + 479));
        _bus.Connected.ShouldBe(4);
        _lifetime.Stopping.ShouldBe(0);

        await PassAsync(TimeSpan.FromSeconds(2));

        _lifetime.Stopping.ShouldBe(1);
        _watchdog.GaveUp.ShouldNotBeNull().ShouldContain("jobs has no consumer since 2026-01-02T03:04:05Z");
    }

    [Fact]
    public async Task The_bus_is_started_once_the_broker_is_there()
    {
        _bus.Fault = "RabbitMQ can't be reached.";
        await _watchdog.StartAsync(TestContext.Current.CancellationToken);
        await _bus.Asked.WaitAsync(TestContext.Current.CancellationToken);
        _bus.Started.Task.IsCompleted.ShouldBeFalse();

        _bus.Fault = null;
        while (!_bus.Started.Task.IsCompleted)
        {
            _time.Advance(TimeSpan.FromSeconds(3));
            await Task.Yield();
        }

        await _watchdog.StopAsync(TestContext.Current.CancellationToken);
        _bus.IsStopped.ShouldBeTrue();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_outage_is_a_line_at_its_begin_and_one_at_its_end_whoever_notices_first_and_however_often(bool publisherIsFirst)
    {
        await ConnectReadyAsync();
        _bus.Fault = "RabbitMQ can't be reached.";
        var publishing = publisherIsFirst ? PublishAsync() : Task.CompletedTask;
        await _bus.Last.Completed(null!);
        await PassAsync(TimeSpan.FromSeconds(5));
        publishing = publisherIsFirst ? publishing : PublishAsync();
        await PassAsync(TimeSpan.FromSeconds(5));

        _bus.Fault = null;
        while (!publishing.IsCompleted)
        {
            await PassAsync(TimeSpan.FromSeconds(1)); // the broker is back, and the consumer is not
        }

        await _bus.Last.Ready(null!);
        await PassAsync(TimeSpan.FromSeconds(5));

        _log.Lines.Select(line => line.Id).ShouldBe([2050, 2051]);
        _broker.Outage.IsAway.ShouldBeFalse();
    }

    [Fact]
    public async Task A_consumer_that_is_lost_while_the_broker_is_there_is_a_line_when_it_goes_and_one_when_it_is_back()
    {
        await ConnectReadyAsync();
        await _bus.Last.Completed(null!);
        await PassAsync(TimeSpan.FromSeconds(5));
        await _bus.Last.Ready(null!);
        await PassAsync(TimeSpan.FromSeconds(5));

        _log.Lines.Select(line => line.Id).ShouldBe([2055, 2056]);
    }

    [Fact]
    public async Task What_only_a_publisher_finds_wrong_with_the_broker_is_over_when_it_can_publish()
    {
        await ConnectReadyAsync();
        _bus.Fault = "RabbitMQ does not let the user write.";
        var publishing = PublishAsync();
        await PassAsync(TimeSpan.FromSeconds(30));
        _log.Lines.Select(line => line.Id).ShouldBe([2050]);

        _bus.Fault = null;
        while (!publishing.IsCompleted)
        {
            await PassAsync(TimeSpan.FromSeconds(1));
        }

        _log.Lines.Select(line => line.Id).ShouldBe([2050, 2051]);
    }

    /// <summary>As who has an event to publish does.</summary>
    private Task PublishAsync() =>
        _broker.RunAsync(
            () => _bus.Fault is { } fault ? Task.FromException(new ConnectionException(fault)) : Task.CompletedTask,
            TestContext.Current.CancellationToken
        );

    private async Task ConnectReadyAsync()
    {
        await _watchdog.ConnectAsync(TestContext.Current.CancellationToken);
        await _bus.Last.Ready(null!);
    }

    /// <summary>Lets time pass, with a look every second.</summary>
    private async Task PassAsync(TimeSpan time)
    {
        for (var end = _time.GetUtcNow() + time; _time.GetUtcNow() < end; )
        {
            await Task.Yield();
            _time.Advance(TimeSpan.FromSeconds(1));
            await _watchdog.LookAsync(TestContext.Current.CancellationToken);
        }
    }

    private async Task<(HealthStatus Status, string? Description)> HealthAsync()
    {
        var result = await new QueueHealth(_bus, _time).CheckHealthAsync(new HealthCheckContext(), TestContext.Current.CancellationToken);
        return (result.Status, result.Description);
    }

    private sealed class FakeBus : IWatchedBus
    {
        public FakeBus(TimeProvider time) => Endpoints = [new WatchedEndpoint("jobs", Connect, time)];

        public IReadOnlyList<WatchedEndpoint> Endpoints { get; }

        public string? Fault { get; set; }

        public int Connected { get; private set; }

        public int Stopped { get; set; }

        public bool IsStopped { get; private set; }

        public TaskCompletionSource Started { get; } = new();

        public SemaphoreSlim Asked { get; } = new(0);

        public WatchedEndpoint.Attachment Last { get; private set; } = null!;

        public Task StartAsync(CancellationToken cancellationToken)
        {
            Started.TrySetResult();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken)
        {
            IsStopped = true;
            return Task.CompletedTask;
        }

        public Task<string?> FindBrokerFaultAsync(CancellationToken cancellationToken)
        {
            Asked.Release();
            return Task.FromResult(Fault);
        }

        private Handle Connect(WatchedEndpoint.Attachment attachment)
        {
            (Last, Connected) = (attachment, Connected + 1);
            return new Handle(this);
        }
    }

    private sealed class Handle(FakeBus bus) : HostReceiveEndpointHandle
    {
        public IReceiveEndpoint ReceiveEndpoint => throw new NotSupportedException();

        public Task<ReceiveEndpointReady> Ready => throw new NotSupportedException();

        public Task StopAsync(CancellationToken cancellationToken)
        {
            bus.Stopped++;
            return Task.CompletedTask;
        }
    }

    private sealed class FakeLifetime : IHostApplicationLifetime
    {
        public int Stopping { get; private set; }

        public CancellationToken ApplicationStarted => default;

        public CancellationToken ApplicationStopping => default;

        public CancellationToken ApplicationStopped => default;

        public void StopApplication() => Stopping++;
    }
}
