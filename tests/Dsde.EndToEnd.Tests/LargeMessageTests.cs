using System.Text.Json;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests;

/// <summary>Events and jobs that are larger than the broker takes, beside jobs that have nothing to do with it.</summary>
public sealed class LargeMessageTests(PostgresServer postgres, LargeMessageTests.NarrowBroker broker)
    : IClassFixture<LargeMessageTests.NarrowBroker>
{
    private const int MaxMessageBytes = 100_000;
    private const int LargeJobs = 2;
    private const int SmallJobs = 30;

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
        broker.CountRefusals().ShouldBeInRange(1, LargeJobs); // each once at most, and none once the limit is known
        (await broker.CountRedeliveriesAsync(worker.VirtualHost, RawProducer.Jobs, acknowledged: LargeJobs + SmallJobs)).ShouldBe(0);
    }

    [Fact]
    public async Task A_job_that_the_broker_refuses_is_named_with_its_size_and_the_limit_and_sending_ends_with_the_way_on()
    {
        await using var worker = await WorkerUnderTest.StartAsync(broker, postgres);
        using var folder = new ScratchFolder();
        var path = Path.Combine(folder.Path, "jobs.jsonl");
        File.WriteAllLines(path, [Line("first", 10), Line("vast", MaxMessageBytes), Line("last", 10)]);

        var sent = await DsdeProgram.RunAsync(worker.Environment, "submit", path);

        sent.ExitCode.ShouldBe(2, sent.Output);
        sent.Error.ShouldContain("The job 'vast' is a message of ");
        sent.Error.ShouldContain($"takes at most {MaxMessageBytes} (max_message_size)");
        sent.Error.ShouldContain("Not all jobs were sent; those that were go on.");

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
                var statistics = (await FindQueueAsync(virtualHost, queue))?.GetProperty("message_stats");
                if (statistics is { } known && Count(known, "ack") >= acknowledged)
                {
                    return Count(known, "redeliver");
                }

                TimeProvider.System.GetElapsedTime(patience).ShouldBeLessThan(TimeSpan.FromSeconds(60), $"{statistics}");
                await Task.Delay(200, TestContext.Current.CancellationToken);
            }
        }

        private static int Count(JsonElement statistics, string name) =>
            statistics.TryGetProperty(name, out var value) ? value.GetInt32() : 0;
    }
}
