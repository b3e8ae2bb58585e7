using System.Net.ServerSentEvents;
using System.Text.Json;
using Dsde.Contracts;
using Dsde.Engine;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Hosting.Status;
using Dsde.Pipeline.Jobs.Ends;
using Dsde.Pipeline.Jobs.Held;
using Dsde.Pipeline.Jobs.Run;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Tests.Jobs;
using Dsde.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dsde.Pipeline.Tests.Hosting.Status;

/// <summary>What the status page is told, with the real engine; the broker is away.</summary>
public sealed class StatusFeedTests(DemoEngine demo) : IClassFixture<DemoEngine>, IAsyncLifetime
{
    private const int Choices = 4;
    private const string Marker = "zanzibarquill";

    private readonly WorkerHealth _health = new();
    private readonly TestLifetime _lifetime = new();
    private readonly EndedJobs _ended = new();
    private readonly List<ConfirmingPublisher> _publishers = [];
    private JobLife? _life;

    private JobLife Life => _life ?? throw new InvalidOperationException("Not initialised.");

    public async ValueTask InitializeAsync() => _life = await JobLife.CreateAsync();

    public async ValueTask DisposeAsync()
    {
        _lifetime.Dispose();
        foreach (var publisher in _publishers)
        {
            await publisher.DisposeAsync();
        }

        await Life.DisposeAsync();
    }

    [Fact]
    public async Task Before_there_is_an_engine_it_tells_what_the_worker_waits_for()
    {
        _health.Await("database", "Asking the database.");
        using var feed = CreateFeed(out _);

        var (history, report) = await ReadTwoAsync(feed);

        history.EventType.ShouldBe("history");
        history.ReconnectionInterval.ShouldNotBeNull();
        history.Data.ShouldBe("[]");
        report.GetProperty("isReady").GetBoolean().ShouldBeFalse();
        report.TryGetProperty("now", out _).ShouldBeFalse();
        var check = report.GetProperty("checks").EnumerateArray().ShouldHaveSingleItem();
        check.GetProperty("name").GetString().ShouldBe("database");
        check.GetProperty("text").GetString().ShouldBe("Asking the database.");
    }

    [Fact]
    public async Task A_job_is_told_by_its_id_and_numbers_while_it_runs_and_after_and_never_by_its_texts()
    {
        var worker = Life.CreateWorker(demo.Engine);
        using var feed = CreateFeed(out var status);
        status.Speak(Services(worker.Running));
        await ReadTwoAsync(feed); // asking a broker that isn't there takes its time, once
        var job = Job();
        var running = worker.RunToEndAsync(job);

        JsonElement output;
        var texts = new List<string>();
        do
        {
            var (history, report) = await ReadTwoAsync(feed);
            texts.AddRange([history.Data, report.GetRawText()]);
            output = OutputsOf(report, job.JobId).FirstOrDefault();
            running.IsCompleted.ShouldBeFalse("It ended before it was seen decoding.");
        } while (output.ValueKind == JsonValueKind.Undefined || output.GetProperty("tokens").GetInt32() < 2);

        output.GetProperty("phase").GetString().ShouldBe("decoding");
        output.GetProperty("mostTokens").GetInt32().ShouldBe(400);
        output.GetProperty("length").GetInt32().ShouldBe(3);
        output.GetProperty("proposed").GetInt32().ShouldBeGreaterThanOrEqualTo(output.GetProperty("accepted").GetInt32());
        var ended = await running;
        _ended.Add(ended);
        feed.Note();
        var (samples, last) = await ReadTwoAsync(feed);
        texts.AddRange([samples.Data, last.GetRawText()]);

        last.GetProperty("completed").GetInt64().ShouldBe(1);
        last.GetProperty("jobs").GetArrayLength().ShouldBe(0);
        last.TryGetProperty("queues", out _).ShouldBeFalse(); // nobody can be asked
        var end = last.GetProperty("ends").EnumerateArray().ShouldHaveSingleItem();
        end.GetProperty("id").GetGuid().ShouldBe(job.JobId);
        end.GetProperty("outcome").GetString().ShouldBe("completed");
        end.GetProperty("tokens").GetInt32().ShouldBe(400 * Choices);
        var sample = JsonDocument.Parse(samples.Data).RootElement.EnumerateArray().ShouldHaveSingleItem();
        sample.GetProperty("emitted").GetInt64().ShouldBeGreaterThanOrEqualTo(400 * Choices);
        sample.GetProperty("lengths").GetArrayLength().ShouldBeGreaterThan(3);
        var text = ended.Outputs[0].Text.ShouldNotBeNull()[..20];
        var escaped = JsonSerializer.Serialize(text, StatusFeed.Json).Trim('"');
        texts.ShouldAllBe(told => !told.Contains(Marker, StringComparison.Ordinal) && !told.Contains(escaped, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_last_two_minutes_are_remembered_and_no_more()
    {
        using var feed = CreateFeed(out var status);
        status.Speak(Services(new HeldJobs(Life.Time)));
        for (var second = 0; second < 150; second++)
        {
            feed.Note();
        }

        var (history, _) = await ReadTwoAsync(feed);

        JsonDocument.Parse(history.Data).RootElement.GetArrayLength().ShouldBe(120);
    }

    [Fact]
    public async Task Events_end_when_the_server_stops()
    {
        using var feed = CreateFeed(out _);
        await using var events = feed.ReadAsync(TestContext.Current.CancellationToken)
            .GetAsyncEnumerator(TestContext.Current.CancellationToken);
        (await events.MoveNextAsync()).ShouldBeTrue();
        (await events.MoveNextAsync()).ShouldBeTrue();
        var next = events.MoveNextAsync();

        _lifetime.StopApplication();

        (await next).ShouldBeFalse();
    }

    private StatusFeed CreateFeed(out WorkerStatus status)
    {
        status = new WorkerStatus(_health, new WorkerOptions(), Life.Time);
        return new StatusFeed(status, _lifetime, Life.Time);
    }

    /// <summary>Those of a worker that the page asks.</summary>
    private ServiceProvider Services(HeldJobs held)
    {
        var rabbitMq = new RabbitMqOptions { Host = "127.0.0.1", Port = FreePorts.Find(1) };
        var publisher = new ConfirmingPublisher(rabbitMq, new QueueTopology(rabbitMq, []));
        _publishers.Add(publisher);
        return new ServiceCollection()
            .AddSingleton(demo.Engine)
            .AddSingleton(held)
            .AddSingleton(_ended)
            .AddSingleton(new QueueDepths(publisher, new WorkerOptions(), TimeProvider.System))
            .AddSingleton<IWaitingPlace>(new WaitInProcess(Life.Time))
            .AddSingleton(new WorkerIdentity("worker-7"))
            .AddSingleton<IHostApplicationLifetime>(_lifetime)
            .BuildServiceProvider();
    }

    private static SubmitGenerationJob Job() =>
        JobLife.Job() with
        {
            Prompt = $"Story: Once there was a shy fox called {Marker}",
            CustomId = Marker,
            MaxTokens = 400,
            ChoiceCount = Choices,
            IgnoreEos = true,
            Temperature = 0,
            Policy = "static:3",
            Metadata = new Dictionary<string, string> { [Marker] = Marker, ["workload"] = Marker },
        };

    private static IEnumerable<JsonElement> OutputsOf(JsonElement report, Guid jobId) =>
        report
            .GetProperty("jobs")
            .EnumerateArray()
            .Where(job => job.GetProperty("id").GetGuid() == jobId)
            .SelectMany(job => job.GetProperty("outputs").EnumerateArray());

    /// <summary>The history, and the first report.</summary>
    private static async Task<(SseItem<string> History, JsonElement Report)> ReadTwoAsync(StatusFeed feed)
    {
        var items = await feed.ReadAsync(TestContext.Current.CancellationToken).Take(2).ToListAsync(TestContext.Current.CancellationToken);
        items[1].EventType.ShouldBe("status");
        return (items[0], JsonDocument.Parse(items[1].Data).RootElement);
    }

    private sealed class TestLifetime : IHostApplicationLifetime, IDisposable
    {
        private readonly CancellationTokenSource _stopping = new();

        public CancellationToken ApplicationStarted => CancellationToken.None;

        public CancellationToken ApplicationStopping => _stopping.Token;

        public CancellationToken ApplicationStopped => CancellationToken.None;

        public void StopApplication() => _stopping.Cancel();

        public void Dispose() => _stopping.Dispose();
    }
}
