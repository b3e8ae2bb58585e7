using Dsde.Contracts;
using Dsde.Pipeline.Telemetry;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests.Chaos;

/// <summary>
/// Random kills rarely hit the moments between store, publish and acknowledge. Here the wire between worker and server is cut at exactly
/// that message, and then the worker is killed before it can do anything about it.
/// </summary>
public sealed class ExactMomentTests(RabbitMqServer rabbitMq, PostgresServer postgres)
{
    private const string JobCompleted = "GenerationJobCompleted";
    private const string BatchCompleted = "GenerationBatchCompleted";

    private readonly Guid _jobId = Guid.NewGuid();
    private readonly Guid _batchId = Guid.NewGuid();

    /// <summary>Moments between store and acknowledgement, and what has been told by then.</summary>
    public static TheoryData<string, string[]> Moments =>
        new()
        {
            { "the event does not get to the broker", [] },
            { "the event's confirmation does not get to the worker", [JobCompleted] },
            { "the acknowledgement of the job does not get to the broker", [JobCompleted, BatchCompleted] },
        };

    [Theory]
    [MemberData(nameof(Moments))]
    public async Task A_worker_killed_after_it_stored_leaves_a_job_that_another_announces_as_the_same_event_and_does_not_run_again(
        string moment,
        string[] toldBefore
    )
    {
        await using var wire = new Wire(rabbitMq.Port, WireProtocol.Amqp);
        var settings = await WorkerUnderTest.CreateSiteAsync(rabbitMq, postgres);
        await using var doomed = await WorkerUnderTest.StartAsync([.. settings, ("Dsde__RabbitMq__Port", $"{wire.Port}")]);
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, doomed.VirtualHost);
        var cut = wire.ArmAsync(At(moment));

        await tap.PublishAsync(Job(), queue: RawProducer.Jobs); // not routed by the worker, whose moments these are
        await cut.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        await doomed.KillAsync();
        await ShouldBeStoredOnceAsync(doomed.ConnectionString, doomed.WorkerId, attempt: 1);
        await tap.WaitForAsync(toldBefore.Length);
        tap.Events.Select(item => item.Type).ShouldBe(toldBefore);
        await using var other = await WorkerUnderTest.StartAsync(settings);

        var jobEvents = toldBefore.Contains(JobCompleted) ? 2 : 1;
        await tap.WaitForAsync(jobEvents + 1);
        await ShouldBeToldAsync(tap, [JobCompleted, BatchCompleted]);
        await rabbitMq.WaitUntilEmptyAsync(other.VirtualHost, RawProducer.Jobs);
        tap.Events.Count(item => item.Type == JobCompleted).ShouldBe(jobEvents);
        await ShouldBeStoredOnceAsync(other.ConnectionString, doomed.WorkerId, attempt: 1);
    }

    /// <summary>
    /// The first confirmation that a worker gets, and the first acknowledgement that it sends, are then those of routing.
    /// </summary>
    [Theory]
    [InlineData("the event's confirmation does not get to the worker")]
    [InlineData("the acknowledgement of the job does not get to the broker")]
    public async Task A_worker_killed_while_it_routes_a_job_leaves_it_to_another_and_it_ends_once(string moment)
    {
        await using var wire = new Wire(rabbitMq.Port, WireProtocol.Amqp);
        var settings = await WorkerUnderTest.CreateSiteAsync(rabbitMq, postgres);
        await using var doomed = await WorkerUnderTest.StartAsync([.. settings, ("Dsde__RabbitMq__Port", $"{wire.Port}")]);
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, doomed.VirtualHost);
        var cut = wire.ArmAsync(At(moment));

        await tap.PublishAsync(Job());
        await cut.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        await doomed.KillAsync();
        await using var other = await WorkerUnderTest.StartAsync(settings);

        await ShouldBeToldAsync(tap, [JobCompleted, BatchCompleted]);
        await rabbitMq.WaitUntilEmptyAsync(other.VirtualHost, RawProducer.Unrouted);
        await rabbitMq.WaitUntilEmptyAsync(other.VirtualHost, RawProducer.Jobs);
        await ShouldBeToldAsync(tap, [JobCompleted, BatchCompleted]);
        (await Rows.ReadAsync(other.ConnectionString, "SELECT job_id, state FROM generation_jobs"))
            .ShouldHaveSingleItem()
            .ShouldBe([_jobId, "completed"]);
        await tap.ShouldBeEmptyAsync(RawProducer.Parked, RawProducer.Errors, RawProducer.Dead);
    }

    [Theory]
    [MemberData(nameof(Moments))]
    public async Task A_connection_to_the_broker_that_breaks_then_costs_no_more_than_an_event_told_twice(string moment, string[] toldBefore)
    {
        await using var wire = new Wire(rabbitMq.Port, WireProtocol.Amqp);
        var settings = await WorkerUnderTest.CreateSiteAsync(rabbitMq, postgres);
        await using var worker = await WorkerUnderTest.StartAsync([.. settings, ("Dsde__RabbitMq__Port", $"{wire.Port}")]);
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, worker.VirtualHost);
        var cut = wire.ArmAsync(At(moment));

        await tap.PublishAsync(Job(), queue: RawProducer.Jobs); // not routed by the worker, whose moments these are
        await cut.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        wire.Mend();

        // once all is told, only the job's event is told again
        await tap.WaitForAsync(toldBefore.Length + (toldBefore.Length == 2 ? 1 : 2));
        await ShouldBeToldAsync(tap, [JobCompleted, BatchCompleted]);
        await rabbitMq.WaitUntilEmptyAsync(worker.VirtualHost, RawProducer.Jobs);
        await ShouldBeStoredOnceAsync(worker.ConnectionString, worker.WorkerId, attempt: 1);
        await tap.ShouldBeEmptyAsync(RawProducer.Errors);
    }

    /// <summary>PostgreSQL gets the commit of the result and the worker no answer: it can't know whether the result is stored.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public async Task A_commit_whose_answer_is_lost_is_neither_a_lost_result_nor_a_second_one(int secondsAway)
    {
        await using var wire = new Wire(postgres.Port, WireProtocol.PostgreSql);
        var settings = await WorkerUnderTest.CreateSiteAsync(rabbitMq, postgres);
        var direct = settings.Last(setting => setting.Name == "Dsde__Persistence__ConnectionString").Value;
        await using var worker = await WorkerUnderTest.StartAsync([
            .. settings,
            ("Dsde__Persistence__ConnectionString", Through(wire, direct)),
        ]);
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, worker.VirtualHost);
        var storing = 0;
        var cut = wire.ArmAsync(message =>
        {
            storing = message.IsFromClient && message.Contains("COPY job_traces") ? message.Connection : storing;
            return message.Connection == storing && message.IsCommitted ? WireCut.Before : WireCut.No;
        });

        await tap.PublishAsync(Job(), queue: RawProducer.Jobs); // not routed by the worker, whose moments these are
        await cut.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        // long enough for the worker to give up trying, or not
        await Task.Delay(TimeSpan.FromSeconds(secondsAway), TestContext.Current.CancellationToken);
        wire.Mend();

        await ShouldBeToldAsync(tap, [JobCompleted, BatchCompleted]);
        await ShouldBeStoredOnceAsync(direct, worker.WorkerId, attempt: 1);
        tap.Events.Count.ShouldBe(2);
    }

    /// <summary>A worker that hangs within the transaction that stores a result holds the locks of the job and of its batch.</summary>
    [Fact]
    public async Task A_worker_that_hangs_while_it_stores_holds_nobody_up_for_ever()
    {
        await using var wire = new Wire(postgres.Port, WireProtocol.PostgreSql);
        var settings = await WorkerUnderTest.CreateSiteAsync(
            rabbitMq,
            postgres,
            ("Dsde__Engine__BatchSize", "1"),
            ("Dsde__Worker__PrefetchMargin", "0")
        );
        var direct = settings.Last(setting => setting.Name == "Dsde__Persistence__ConnectionString").Value;
        await using var hanging = await WorkerUnderTest.StartAsync([
            .. settings,
            ("Dsde__Persistence__ConnectionString", Through(wire, direct)),
        ]);
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, hanging.VirtualHost);
        var held = wire.ArmAsync(message => message.IsFromClient && message.Contains("COPY job_traces") ? WireCut.Hold : WireCut.No);
        await tap.PublishAsync(Job(), queue: RawProducer.Jobs); // not routed by the worker, whose moments these are
        await held.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        await hanging.PauseAsync();
        await using var other = await WorkerUnderTest.StartAsync(settings);

        // not routed by the worker, whose moments these are // the broker does not know that the first worker hangs, but that it has its
        // hands full
        await tap.PublishAsync(Job(), queue: RawProducer.Jobs);

        await ShouldBeToldAsync(tap, [JobCompleted, BatchCompleted]);
        await ShouldBeStoredOnceAsync(direct, other.WorkerId, attempt: 2);
        await hanging.KillAsync();
    }

    private static Func<WireMessage, WireCut> At(string moment) =>
        moment switch
        {
            "the event does not get to the broker" => message =>
                message.IsPublish && message.Contains("Dsde.Contracts:GenerationJobCompleted") ? WireCut.Before : WireCut.No,
            "the event's confirmation does not get to the worker" => message =>
                !message.IsFromClient && message.IsAcknowledgement ? WireCut.Before : WireCut.No,
            "the acknowledgement of the job does not get to the broker" => message =>
                message.IsFromClient && message.IsAcknowledgement ? WireCut.Before : WireCut.No,
            _ => throw new ArgumentException(moment, nameof(moment)),
        };

    private string Job() =>
        $$"""{"jobId":"{{_jobId}}","batchId":"{{_batchId}}","batchJobCount":1,"model":"dsde-demo","prompt":"Story: Once there were 3 """
        + $$"""foxes","maxTokens":40,"seed":7}""";

    /// <summary>Every event came, and however often, it was the same one.</summary>
    private static async Task ShouldBeToldAsync(EventTap tap, string[] types)
    {
        await tap.WaitUntilAsync(() => types.All(type => tap.Events.Any(item => item.Type == type)), TimeSpan.FromSeconds(60));
        foreach (var events in tap.Events.GroupBy(item => item.Type))
        {
            events.Select(item => item.MessageId).Distinct().ShouldHaveSingleItem(events.Key);
            events.Select(item => item.Message.GetRawText()).Distinct().ShouldHaveSingleItem(events.Key);
        }
    }

    private async Task ShouldBeStoredOnceAsync(string connectionString, string workerId, int attempt)
    {
        (await Rows.ReadAsync(connectionString, "SELECT job_id, state, worker_id, attempt FROM generation_jobs"))
            .ShouldHaveSingleItem()
            .ShouldBe([_jobId, "completed", workerId, attempt]);
        (await Rows.ReadAsync(connectionString, "SELECT job_id, worker_id FROM job_traces"))
            .ShouldHaveSingleItem()
            .ShouldBe([_jobId, workerId]);
        (
            await Rows.ReadAsync(
                connectionString,
                "SELECT batch_id, job_count, completed_count, failed_count, cancelled_count FROM generation_batches"
            )
        )
            .ShouldHaveSingleItem()
            .ShouldBe([_batchId, 1, 1, 0, 0]);
    }

    /// <summary>What goes over a wire that is to be understood is not encrypted.</summary>
    private static string Through(Wire wire, string connectionString) =>
        new Npgsql.NpgsqlConnectionStringBuilder(connectionString)
        {
            Port = wire.Port,
            SslMode = Npgsql.SslMode.Disable,
            GssEncryptionMode = Npgsql.GssEncryptionMode.Disable,
        }.ConnectionString;
}
