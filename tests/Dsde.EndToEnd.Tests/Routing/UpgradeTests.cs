using Dsde.Testing;
using RabbitMQ.Client;

namespace Dsde.EndToEnd.Tests.Routing;

/// <summary>A broker that still has the single queue of jobs, and what belonged to it, from before models had queues.</summary>
public sealed class UpgradeTests(RabbitMqServer rabbitMq, PostgresServer postgres)
{
    private static readonly string[] Earlier = ["dsde-generation-jobs", "dsde-generation-jobs-high", "dsde-generation-jobs-resumed"];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task What_is_in_the_queues_of_that_time_is_done_by_workers_of_its_model_and_what_comes_after_is_done_once()
    {
        var site = await WorkerUnderTest.CreateSiteAsync(rabbitMq, postgres, ("Dsde__Worker__ModelWaitSeconds", "600"));
        var virtualHost = site.Single(setting => setting.Name == "Dsde__RabbitMq__VirtualHost").Value;
        await using var producer = await RawProducer.OpenAsync(rabbitMq.Port, virtualHost);
        await DeclareEarlierAsync(virtualHost);
        List<Guid> ids = [.. Enumerable.Range(0, 8).Select(_ => Guid.NewGuid())];
        string[] queues = [.. Earlier, "dsde-generation-jobs-waiting"];
        foreach (var (index, id) in ids.Index())
        {
            await producer.SendAsync(queues[index % queues.Length], RoutingTests.Job(id, index < 4 ? "one" : "two"));
        }

        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, virtualHost);
        await using var first = await WorkerUnderTest.StartAsync([.. site, .. RoutingTests.Serving("one")]);
        await using var second = await WorkerUnderTest.StartAsync([.. site, .. RoutingTests.Serving("two")]);
        await tap.WaitForAsync(ids.Count);
        foreach (var queue in queues)
        {
            await producer.WaitForCountAsync(queue, 0, Patience);
        }

        var later = Guid.NewGuid();
        await producer.SendByKeyAsync("one", RoutingTests.Job(later, "one"));
        await tap.WaitForJobAsync(later);
        await tap.WaitForAsync(ids.Count + 1);

        tap.Events.ShouldAllBe(item => item.Type == "GenerationJobCompleted");
        tap.Events.Select(item => item.JobId).ShouldBe(ids.Append(later).Select(id => (Guid?)id), ignoreOrder: true);
        (await producer.CountAsync(Earlier[0])).ShouldBe(0u, "The exchange still leads to the queue of that time.");
    }

    /// <summary>As the version before declared them.</summary>
    private async Task DeclareEarlierAsync(string virtualHost)
    {
        var cancelled = TestContext.Current.CancellationToken;
        await using var connection = await new ConnectionFactory
        {
            HostName = "127.0.0.1",
            Port = rabbitMq.Port,
            VirtualHost = virtualHost,
        }.CreateConnectionAsync(cancelled);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancelled);
        foreach (var queue in Earlier)
        {
            await channel.ExchangeDeclareAsync(queue, ExchangeType.Fanout, durable: true, cancellationToken: cancelled);
            await channel.QueueDeclareAsync(
                queue,
                durable: true,
                exclusive: false,
                autoDelete: false,
                new Dictionary<string, object?>
                {
                    ["x-queue-type"] = "quorum",
                    ["x-dead-letter-exchange"] = queue == Earlier[1] ? $"{queue}-dead" : $"{Earlier[0]}-dead",
                    ["x-delivery-limit"] = 1000,
                },
                cancellationToken: cancelled
            );
            await channel.QueueBindAsync(queue, queue, "", cancellationToken: cancelled);
        }

        await channel.QueueDeclareAsync(
            "dsde-generation-jobs-waiting",
            durable: true,
            exclusive: false,
            autoDelete: false,
            new Dictionary<string, object?>
            {
                ["x-queue-type"] = "quorum",
                ["x-message-ttl"] = 2000L,
                ["x-dead-letter-exchange"] = Earlier[2],
                ["x-dead-letter-strategy"] = "at-least-once",
                ["x-overflow"] = "reject-publish",
            },
            cancellationToken: cancelled
        );
    }
}
