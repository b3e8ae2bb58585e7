using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Hosting.Status;
using Dsde.Pipeline.Telemetry;
using Dsde.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dsde.Pipeline.Tests.Hosting;

/// <summary>Health and metrics over real HTTP.</summary>
public sealed class HealthServerTests
{
    [Fact]
    public async Task Before_anything_works_it_is_live_and_not_ready_and_says_what_is_awaited()
    {
        var health = new WorkerHealth();
        health.Await("broker", "RabbitMQ can't be reached.");
        var port = FreePorts.Find(1);
        using var server = await StartAsync(health, port);
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };

        (await ReadAsync(client, "health/live")).ShouldBe((HttpStatusCode.OK, "Healthy\n"));
        (await ReadAsync(client, "health/ready")).ShouldBe(
            (HttpStatusCode.ServiceUnavailable, "Unhealthy\nbroker: Unhealthy RabbitMQ can't be reached.\n")
        );
    }

    [Theory]
    [InlineData("dsde.test.duration", "s", 0.3, 2.0, 45.0, 900.0)]
    [InlineData("dsde.test.pause", "ms", 3.0, 40.0, 700.0, 60_000.0)]
    [InlineData("dsde.test.size", "By", 10.0, 900.0, 70_000.0, 50_000_000.0)]
    [InlineData("dsde.test.length", "{token}", 3.0, 20.0, 200.0, 5_000.0)]
    public async Task Values_that_a_unit_is_used_for_fall_into_buckets_of_their_own(string name, string unit, params double[] values)
    {
        using var meter = new Meter(PipelineMeter.Name);
        var port = FreePorts.Find(1);
        using var server = await StartAsync(new WorkerHealth(), port);
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        var histogram = meter.CreateHistogram<double>(name, unit);
        foreach (var value in values)
        {
            histogram.Record(value);
        }

        var (_, metrics) = await ReadAsync(client, "metrics");

        var counts = Regex
            .Matches(metrics, $"^{name.Replace('.', '_')}\\w*_bucket{{.*?le=\"([^\"]+)\"}} (\\d+)", RegexOptions.Multiline)
            .Select(bucket => int.Parse(bucket.Groups[2].Value, CultureInfo.InvariantCulture))
            .ToList();
        counts.Count.ShouldBeGreaterThan(values.Length + 2, metrics);
        counts[0].ShouldBe(0, metrics); // none in the first
        counts[^2].ShouldBe(values.Length, metrics); // none beyond the last bound
        counts.Distinct().Count().ShouldBe(values.Length + 1, metrics); // each in another one
    }

    [Fact]
    public void Of_workers_that_ask_for_any_port_each_gets_another_and_one_that_asks_for_a_taken_one_is_told()
    {
        using var one = HealthSocket.Open(new WorkerOptions()).ShouldNotBeNull();
        using var other = HealthSocket.Open(new WorkerOptions()).ShouldNotBeNull();
        var port = ((IPEndPoint)one.LocalEndPoint!).Port;

        ((IPEndPoint)other.LocalEndPoint!).Port.ShouldBeGreaterThan(port);
        Should
            .Throw<ExpectedFailureException>(() => HealthSocket.Open(new WorkerOptions { HealthPort = $"{port}" }))
            .Message.ShouldContain($"Port {port} of 127.0.0.1 (Dsde:Worker:HealthPort) is taken");
        HealthSocket.Open(new WorkerOptions { HealthPort = "none" }).ShouldBeNull();
    }

    [Theory]
    [InlineData("auto")]
    [InlineData("none")]
    public async Task Signals_are_left_to_whoever_runs_the_worker(string port)
    {
        using var server = await HealthServer.StartAsync(
            new WorkerOptions { HealthPort = port },
            new WorkerStatus(new WorkerHealth(), new WorkerOptions(), TimeProvider.System),
            NullLoggerFactory.Instance,
            TestContext.Current.CancellationToken
        );

        server.Services.GetRequiredService<IHostLifetime>().ShouldBeOfType<CallersLifetime>();
    }

    [Fact]
    public void An_address_that_is_not_the_machines_is_named()
    {
        var options = new WorkerOptions { HealthAddress = "192.0.2.1", HealthPort = $"{FreePorts.Find(1)}" };

        var message = Should.Throw<ExpectedFailureException>(() => HealthSocket.Open(options)).Message;

        message.ShouldStartWith($"192.0.2.1:{options.HealthPort} can't be listened at");
        message.ShouldContain("Dsde:Worker:HealthAddress");
    }

    private static Task<IHost> StartAsync(WorkerHealth health, int port) =>
        HealthServer.StartAsync(
            new WorkerOptions { HealthPort = $"{port}" },
            new WorkerStatus(health, new WorkerOptions(), TimeProvider.System),
            NullLoggerFactory.Instance,
            TestContext.Current.CancellationToken
        );

    private static async Task<(HttpStatusCode Status, string Text)> ReadAsync(HttpClient client, string path)
    {
        using var response = await client.GetAsync(path, TestContext.Current.CancellationToken);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
