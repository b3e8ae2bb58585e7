using System.Text.Json;
using Dsde.Contracts;
using Dsde.Pipeline.Jobs.Ends;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Resilience;
using Dsde.Testing;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dsde.EndToEnd.Tests;

/// <summary>Events and jobs that are larger than the broker takes, beside jobs that have nothing to do with it.</summary>
public sealed class LargeMessageTests(PostgresServer postgres, LargeMessageTests.NarrowBroker broker)
    : IClassFixture<LargeMessageTests.NarrowBroker>
{
    private const int MaxMessageBytes = 100_000;
    private const int LargeJobs = 2;
    private const int SmallJobs = 30;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task An_event_that_the_broker_refuses_comes_without_its_outputs_and_neighbours_lose_no_delivery()
    {
        await using var worker = await WorkerUnderTest.StartAsync(
            broker,
            postgres,
            // as good as no bound, so that the broker has to say it
            settings: [("Dsde__Engine__BatchSize", "8"), ("Dsde__Worker__MaxEventBytes", $"{100 << 20}")]
        );
        await using var tap = await EventTap.OpenAsync(broker.Port, worker.VirtualHost);
        var refusalsBefore = broker.CountRefusals();
        Guid[] large = [.. Enumerable.Range(0, LargeJobs).Select(_ => Guid.NewGuid())];
        Guid[] small = [.. Enumerable.Range(0, SmallJobs).Select(_ => Guid.NewGuid())];

        // Long neighbours are under way whenever a large event is published.
        foreach (var (jobId, index) in small.Select((jobId, index) => (jobId, index)))
        {
            await tap.PublishAsync(Job(jobId, maxTokens: 200));
            if (index % 5 == 1 && index / 5 < LargeJobs)
            {
                await tap.PublishAsync(LargeJob(large[index / 5]));
            }
        }

        foreach (var jobId in (Guid[])[.. large, .. small])
        {
            await tap.WaitForJobAsync(jobId);
        }

        await broker.WaitUntilEmptyAsync(worker.VirtualHost, RawProducer.Jobs);
        foreach (var told in tap.Events.Where(told => large.Contains(told.JobId!.Value)))
        {
            told.Type.ShouldBe("GenerationJobCompleted");
            told.Message.GetProperty("textLocation").GetString().ShouldBe($"generation_jobs/{told.JobId}");
            told.Message.GetProperty("usage").GetProperty("completionTokens").GetInt32().ShouldBe(2 * 300);
            var choices = told.Message.GetProperty("choices").EnumerateArray().ToList();
            choices.Select(choice => choice.GetProperty("finishReason").GetString()).ShouldBe(["length", "length"]);
            ((JsonElement[])[told.Message, .. choices]).ShouldAllBe(part =>
                !HasValue(part, "text") && !HasValue(part, "tokenIds") && !HasValue(part, "topLogProbabilities")
            );
        }

        tap.Events.Where(told => small.Contains(told.JobId!.Value)).ShouldAllBe(told => HasValue(told.Message, "text"));
        tap.Events.Count(told => large.Contains(told.JobId!.Value)).ShouldBe(LargeJobs);
        tap.Events.DistinctBy(told => told.MessageId).Count().ShouldBe(LargeJobs + SmallJobs);
        (await Rows.ReadAsync(worker.ConnectionString, "SELECT attempt, state, count(*) FROM generation_jobs GROUP BY attempt, state"))
            .ShouldHaveSingleItem()
            .ShouldBe([1, "completed", (long)(LargeJobs + SmallJobs)]);
        (broker.CountRefusals() - refusalsBefore).ShouldBeInRange(1, LargeJobs); // each once at most, and none once the limit is known
        (await broker.CountRedeliveriesAsync(worker.VirtualHost, RawProducer.Jobs, acknowledged: LargeJobs + SmallJobs)).ShouldBe(0);
    }

    [Fact]
    public async Task A_job_that_the_broker_refuses_costs_its_own_line_which_has_its_size_and_the_limit()
    {
        await using var worker = await WorkerUnderTest.StartAsync(broker, postgres);
        await using var tap = await EventTap.OpenAsync(broker.Port, worker.VirtualHost);
        using var folder = new ScratchFolder();
        var batchId = Guid.NewGuid();
        var file = folder.Write(
            "jobs.jsonl",
            [.. Enumerable.Range(0, 40).Select(job => Line($"small-{job}", 10)), Line("vast", MaxMessageBytes), Line("last", 10)]
        );
        string[] submit = ["submit", file, "--batch-id", $"{batchId}", "--wait", "--out", folder.PathOf("out")];

        var sent = await DsdeProgram.RunAsync(worker.Environment, submit);
        var again = await DsdeProgram.RunAsync(worker.Environment, submit);

        foreach (var ended in (DsdeProgram.Ended[])[sent, again])
        {
            ended.ExitCode.ShouldBe(1, ended.Output + ended.Error);
            ended.Error.ShouldBeEmpty();
            ended.Output.ShouldContain($"batch {batchId}: 41 jobs sent");
            ended.Output.ShouldContain("1 job was not sent: it is larger than the broker takes (request_too_large)");
        }

        ResultLine
            .Read(folder.PathOf("out", "results.jsonl"))
            .Select(result => result.CustomId)
            .ShouldBe([.. Enumerable.Range(0, 40).Select(job => $"small-{job}"), "last"]);
        var error = File.ReadLines(folder.PathOf("out", "errors.jsonl")).ShouldHaveSingleItem();
        error.ShouldContain("\"custom_id\":\"vast\"");
        error.ShouldContain("request_too_large");
        error.ShouldContain("The job is a message of 10");
        error.ShouldContain($"takes at most {MaxMessageBytes} (max_message_size)");
        var told = await tap.WaitForAsync(item => item.Type == "GenerationBatchCompleted");
        told.Message.GetProperty("failedCount").GetInt32().ShouldBe(1);
        told.Message.GetProperty("completedCount").GetInt32().ShouldBe(41);

        static string Line(string id, int length) =>
            JsonSerializer.Serialize(
                new
                {
                    custom_id = id,
                    method = "POST",
                    url = "/v1/completions",
                    body = new
                    {
                        model = "dsde-demo",
                        prompt = new string('x', length),
                        max_tokens = 1,
                    },
                }
            );
    }

    [Fact]
    public async Task Whoever_publishes_beside_an_event_that_the_broker_refuses_hears_of_its_own()
    {
        var options = new RabbitMqOptions { Port = broker.Port, VirtualHost = await broker.CreateVirtualHostAsync() };
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddRabbitMqClient(options);
        using var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        var publisher = new EventPublisher(
            host.Services.GetRequiredService<IBus>,
            new BrokerPatience(TimeProvider.System, NullLogger<BrokerPatience>.Instance),
            TimeProvider.System,
            NullLogger<EventPublisher>.Instance
        );
        var origin = new MessageOrigin();

        for (var round = 0; round < 10; round++)
        {
            var small = Enumerable.Range(0, 32).Select(_ => PublishAsync(10)).ToList();
            var vast = PublishAsync(MaxMessageBytes);
            small.AddRange(Enumerable.Range(0, 32).Select(_ => PublishAsync(10)));

            await Should.ThrowAsync<EventTooLargeException>(() => vast.WaitAsync(Patience, TestContext.Current.CancellationToken));
            await Task.WhenAll(small).WaitAsync(Patience, TestContext.Current.CancellationToken);
        }

        await host.StopAsync(TestContext.Current.CancellationToken);

        Task PublishAsync(int length)
        {
            var jobId = Guid.NewGuid();
            var told = new GenerationJobCancelled
            {
                JobId = jobId,
                Reason = "cancelled",
                Text = new string('x', length),
                CancelledAt = TimeProvider.System.GetUtcNow(),
            };
            return publisher.PublishAsync(told, smaller: null, Guid.NewGuid(), jobId, origin, TestContext.Current.CancellationToken);
        }
    }

    private static string Job(Guid jobId, int maxTokens, string more = "") =>
        $$"""
            {"jobId":"{{jobId}}","model":"dsde-demo","prompt":"Story: One fox","maxTokens":{{maxTokens}},"ignoreEos":true{{more}}}
            """;

    private static string LargeJob(Guid jobId) =>
        Job(jobId, 300, ""","choiceCount":2,"returnTokenIds":true,"returnLogProbabilities":true,"topLogProbabilityCount":20""");

    private static bool HasValue(JsonElement part, string name) =>
        part.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null;

    /// <summary>Takes only small messages.</summary>
    public sealed class NarrowBroker : RabbitMqServer
    {
        protected override (string Name, string Value)[] Settings =>
            [("RABBITMQ_EXTRA_CONFIG", $"max_message_size = {MaxMessageBytes}\\ncollect_statistics_interval = 1000")];

        /// <summary>Channels that were closed for a message's size.</summary>
        public int CountRefusals() =>
            Directory
                .EnumerateFiles(Path.Combine(Server.Folder, "log"), "*.log")
                .SelectMany(File.ReadLines)
                .Count(line => line.Contains("larger than configured max size", StringComparison.Ordinal));

        /// <summary>Deliveries of a queue that came again, once its statistics know of all acknowledgements.</summary>
        public async Task<int> CountRedeliveriesAsync(string virtualHost, string queue, int acknowledged)
        {
            var patience = TimeProvider.System.GetTimestamp();
            while (true)
            {
                var found = await FindQueueAsync(virtualHost, queue);
                // missing until they have been taken for the first time
                if (found?.TryGetProperty("message_stats", out var known) == true && Count(known, "ack") >= acknowledged)
                {
                    return Count(known, "redeliver");
                }

                TimeProvider.System.GetElapsedTime(patience).ShouldBeLessThan(TimeSpan.FromSeconds(60), $"{found}");
                await Task.Delay(200, TestContext.Current.CancellationToken);
            }
        }

        private static int Count(JsonElement statistics, string name) =>
            statistics.TryGetProperty(name, out var value) ? value.GetInt32() : 0;
    }
}
