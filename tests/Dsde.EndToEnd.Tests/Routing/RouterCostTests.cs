using System.Globalization;
using Dsde.Pipeline.Messaging;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests.Routing;

/// <summary>What routing by the body costs, in its order of magnitude: what one worker routes while nobody works on the jobs.</summary>
public sealed class RouterCostTests(RabbitMqServer rabbitMq, PostgresServer postgres, ITestOutputHelper output)
{
    private const int Count = 4000;
    private const double LeastPerSecond = 100;

    [Fact]
    public async Task A_worker_routes_hundreds_of_jobs_a_second_and_loses_none()
    {
        var site = await WorkerUnderTest.CreateSiteAsync(rabbitMq, postgres);
        var virtualHost = site.Single(setting => setting.Name == "Dsde__RabbitMq__VirtualHost").Value;
        var options = new RabbitMqOptions
        {
            Host = "127.0.0.1",
            Port = rabbitMq.Port,
            VirtualHost = virtualHost,
        };
        await new QueueTopology(options, models: ["sink"]).DeclareAsync(TestContext.Current.CancellationToken);
        await using var producer = await RawProducer.OpenAsync(rabbitMq.Port, virtualHost);
        foreach (var some in Enumerable.Range(0, Count).Chunk(200))
        {
            await Task.WhenAll(some.Select(_ => producer.SendByKeyAsync("", RoutingTests.Job(Guid.NewGuid(), "sink"))));
        }

        await using var worker = await WorkerUnderTest.StartAsync([.. site], untilReady: false);
        var (first, start) = (0u, 0L);
        while (first == 0)
        {
            first = await producer.CountAsync("dsde-generation-jobs.sink");
            start = TimeProvider.System.GetTimestamp();
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        await producer.WaitForCountAsync("dsde-generation-jobs.sink", Count, TimeSpan.FromSeconds(120));
        var perSecond = (Count - first) / TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        var said = string.Create(CultureInfo.InvariantCulture, $"{perSecond:F0} messages/s through the router of one worker");
        output.WriteLine(said);
        TestContext.Current.SendDiagnosticMessage(said);
        perSecond.ShouldBeGreaterThan(LeastPerSecond, said);
        (await producer.CountAsync(RawProducer.Unrouted)).ShouldBe(0u);
        (await worker.ReadMetricAsync("dsde_jobs_routed_total")).ShouldBe(Count);
    }
}
