using System.Globalization;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Messaging.Taking;
using Dsde.Pipeline.Resilience;
using Dsde.Testing;
using RabbitMQ.Client;

namespace Dsde.EndToEnd.Tests;

/// <summary>A broker that goes away, comes back, or stops taking messages, under a worker at work.</summary>
public sealed class BrokerOutageTests(BreakableServers servers) : IClassFixture<BreakableServers>
{
    [Fact]
    public async Task Cut_connections_a_restart_and_a_memory_alarm_of_the_broker_cost_no_job_and_double_none()
    {
        const int Jobs = LongJobs.Count; // a backlog that outlasts all that is done to the broker; what is left of it is cancelled
        var batch = Guid.NewGuid();
        await using var worker = await WorkerUnderTest.StartAsync(
            servers.RabbitMq,
            servers.Postgres,
            settings: ("Dsde__Engine__BatchSize", "2")
        );
        await using var tap = await EventTap.OpenAsync(servers.RabbitMq.Port, worker.VirtualHost);
        await BrokerTests.SubmitAsync(worker, LongJobs.Write, "--limit", $"{Jobs}", "--batch-id", $"{batch}");

        await tap.WaitForAsync(2);
        (await servers.RabbitMq.CutConnectionsAsync(worker.VirtualHost)).ShouldBeGreaterThan(0);
        await tap.WaitForAsync(4);
        const string running = "SELECT count(*) FROM generation_jobs WHERE state = 'running'";
        do
        {
            // An alarm takes time to come, in which a fast worker would end its jobs; and it gets none while it lasts.
            await worker.ContinueAsync();
            await Rows.WaitAsync(worker.ConnectionString, running.Replace("count(*)", "count(*) >= 2", StringComparison.Ordinal));
            await worker.PauseAsync();
        } while (await Rows.CountAsync(worker.ConnectionString, running) < 2);

        await servers.RabbitMq.SetMemoryAlarmAsync(true);
        var told = CountTold();
        await worker.ContinueAsync();
        var more = $"SELECT count(*) >= {told + 2} FROM generation_jobs WHERE state = 'completed'";
        await Rows.WaitAsync(worker.ConnectionString, more); // jobs end, and their events can't be published
        await worker.PauseAsync();
        await servers.RabbitMq.SetMemoryAlarmAsync(false);
        await worker.ContinueAsync();
        await tap.WaitUntilAsync(() => CountTold() >= told + 2, TimeSpan.FromSeconds(60));
        await worker.PauseAsync();
        told = CountTold();
        told.ShouldBeLessThan(Jobs - 2, "Hardly a job is left for the restart, so nothing is tried.");
        await servers.RabbitMq.Server.StopAsync();
        await worker.ContinueAsync();
        await servers.RabbitMq.Server.RestartAsync();
        await tap.WaitUntilAsync(() => CountTold() >= told + 2, TimeSpan.FromSeconds(60));
        (await DsdeProgram.RunAsync(worker.Environment, "cancel", $"{batch}")).ExitCode.ShouldBe(0);

        await BrokerTests.RequireAllEndedOnceAsync(servers.RabbitMq, worker, tap, Jobs, isCancelled: true);

        int CountTold() => tap.Events.Select(item => item.JobId).OfType<Guid>().Distinct().Count();
    }

    [Fact]
    public async Task Whoever_waits_for_a_confirm_is_told_when_the_connection_breaks_and_the_next_message_goes_through()
    {
        var options = new RabbitMqOptions { Port = servers.RabbitMq.Port, VirtualHost = await servers.RabbitMq.CreateVirtualHostAsync() };
        await using var publisher = new ConfirmingPublisher(options, new QueueTopology(options, []));
        await publisher.ConnectAsync(TestContext.Current.CancellationToken);
        for (var round = 0; round < 10; round++)
        {
            await servers.RabbitMq.SetMemoryAlarmAsync(true);
            var waiting = Enumerable.Range(0, 64).Select(_ => PublishAsync()).ToList();
            await Task.Delay(200, TestContext.Current.CancellationToken); // nothing tells that they wait, and sooner would be as good
            waiting.ShouldAllBe(publishing => !publishing.IsCompleted);

            await servers.RabbitMq.CutConnectionsAsync(options.VirtualHost);
            var ended = await Task.WhenAll(waiting).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
            await servers.RabbitMq.SetMemoryAlarmAsync(false);

            ended.OfType<Exception>().Count().ShouldBe(waiting.Count);
            ended.OfType<Exception>().ShouldAllBe(exception => BrokerPatience.IsLost(exception));
            (await PublishAsync()).ShouldBeNull();
        }

        async Task<Exception?> PublishAsync() =>
            await Record.ExceptionAsync(() =>
                publisher.PublishAsync(
                    exchange: "",
                    RawProducer.Unrouted,
                    new BasicProperties { Persistent = true },
                    new byte[100],
                    TestContext.Current.CancellationToken
                )
            );
    }

    /// <summary>RabbitMQ 3.10 would mix them up, if they were got one by one.</summary>
    [Fact]
    public async Task What_a_reading_leaves_in_a_queue_is_there_in_its_order_after_the_broker_was_killed()
    {
        const int Count = 300; // more than one consumer holds
        const int Acknowledged = 200;
        var options = new RabbitMqOptions { Port = servers.RabbitMq.Port, VirtualHost = await servers.RabbitMq.CreateVirtualHostAsync() };
        await new QueueTopology(options, models: []).DeclareAsync(TestContext.Current.CancellationToken);
        await using (var producer = await RawProducer.OpenAsync(options.Port, options.VirtualHost))
        {
            foreach (var number in Enumerable.Range(0, Count))
            {
                await producer.SendAsync(RawProducer.Parked, $"{number}", new BasicProperties { Persistent = true });
            }

            (await TakeAsync(acknowledged: 0)).ShouldBe(Enumerable.Range(0, Count)); // all of them go back
            await producer.WaitForCountAsync(RawProducer.Parked, Count, TimeSpan.FromSeconds(30));
            (await TakeAsync(Acknowledged)).ShouldBe(Enumerable.Range(0, Count)); // the others go back
            await producer.WaitForCountAsync(RawProducer.Parked, Count - Acknowledged, TimeSpan.FromSeconds(30));
            await servers.RabbitMq.Server.KillAsync();
        }

        await servers.RabbitMq.Server.RestartAsync();

        await using var consumer = await RawProducer.OpenAsync(options.Port, options.VirtualHost);
        await consumer.WaitForCountAsync(RawProducer.Parked, Count - Acknowledged, TimeSpan.FromSeconds(30));
        (await TakeAsync(acknowledged: 0)).ShouldBe(Enumerable.Range(Acknowledged, Count - Acknowledged));

        async Task<List<int>> TakeAsync(int acknowledged)
        {
            var taken = new List<int>();
            await using var connection = await PlainConnection.OpenAsync(options, TestContext.Current.CancellationToken);
            var reader = new QueueReader(connection);
            await foreach (var message in reader.TakeAsync(RawProducer.Parked, uint.MaxValue, TestContext.Current.CancellationToken))
            {
                taken.Add(int.Parse(message.Body.Span, CultureInfo.InvariantCulture));
                if (taken[^1] < acknowledged)
                {
                    await message.AcknowledgeAsync(TestContext.Current.CancellationToken);
                }
            }

            return taken;
        }
    }

    /// <summary>A queue's name is on the broker's disk half a second after the queue has been made, and messages sooner.</summary>
    [Fact]
    public async Task What_is_confirmed_by_queues_that_have_just_been_made_survives_a_broker_that_is_killed()
    {
        const int Count = 20;
        var options = new RabbitMqOptions { Port = servers.RabbitMq.Port, VirtualHost = await servers.RabbitMq.CreateVirtualHostAsync() };
        var lane = Lane.AllOf("new-model")[0];
        await using (var publisher = new ConfirmingPublisher(options, new QueueTopology(options, ["new-model"])))
        {
            // Whether the broker would have lost anything depends on how fast this machine is; that nothing is sent so soon does not.
            var started = TimeProvider.System.GetTimestamp();
            await publisher.ConnectAsync(TestContext.Current.CancellationToken);
            TimeProvider.System.GetElapsedTime(started).ShouldBeGreaterThan(TimeSpan.FromSeconds(1));

            await Task.WhenAll(Enumerable.Range(0, Count).Select(_ => PublishAsync(publisher, RawProducer.Unrouted)));
            await Task.WhenAll(Enumerable.Range(0, Count).Select(_ => PublishAsync(publisher, lane.Queue)));
            await servers.RabbitMq.Server.KillAsync();
        }

        await servers.RabbitMq.Server.RestartAsync();

        await using var producer = await RawProducer.OpenAsync(options.Port, options.VirtualHost);
        await producer.WaitForCountAsync(RawProducer.Unrouted, Count, TimeSpan.FromSeconds(30));
        await producer.WaitForCountAsync(lane.Queue, Count, TimeSpan.FromSeconds(30));

        static Task PublishAsync(ConfirmingPublisher publisher, string queue) =>
            publisher.PublishAsync(
                exchange: "",
                queue,
                new BasicProperties { Persistent = true },
                new byte[100],
                TestContext.Current.CancellationToken
            );
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_worker_told_to_stop_while_the_broker_is_away_or_takes_nothing_ends_in_time_and_another_finishes(bool isAlarm)
    {
        await using var worker = await WorkerUnderTest.StartAsync(servers.RabbitMq, servers.Postgres, drainSeconds: 2);
        await using var tap = await EventTap.OpenAsync(servers.RabbitMq.Port, worker.VirtualHost);
        await BrokerTests.SubmitAsync(worker, LongJobs.Write, "--limit", "6");
        await tap.WaitForAsync(1);

        await (isAlarm ? servers.RabbitMq.SetMemoryAlarmAsync(true) : servers.RabbitMq.Server.StopAsync());
        var stopping = TimeProvider.System.GetTimestamp();
        var (exitCode, log) = await worker.StopAsync(TimeSpan.FromSeconds(60));
        var took = TimeProvider.System.GetElapsedTime(stopping);
        await (isAlarm ? servers.RabbitMq.SetMemoryAlarmAsync(false) : servers.RabbitMq.Server.RestartAsync());

        exitCode.ShouldBe(0, log);
        took.ShouldBeLessThan(TimeSpan.FromSeconds(2 + 15)); // what docs/operations.md tells orchestrators to give
        await using var successor = await worker.StartAnotherAsync();
        await BrokerTests.RequireAllEndedOnceAsync(servers.RabbitMq, worker, tap, 6);
    }
}
