using System.Globalization;
using System.Text;
using System.Text.Json;
using Dsde.Contracts;
using Dsde.Pipeline.Telemetry;
using Dsde.Testing;
using Npgsql;

namespace Dsde.EndToEnd.Tests.Fuzzing;

/// <summary>
/// A worker among messages that nobody should send: every job completes, every other message ends with a reason, and the worker stays as it
/// was.
/// </summary>
public sealed class FuzzTests(RabbitMqServer rabbitMq, PostgresServer postgres)
{
    private const int HostileCount = 10_000;
    private const int GoodCount = 500;
    private const int FirstGoodCount = 50; // those that other requests under the same ids come after
    private const int WarmUpCount = 4_000;
    private const int Seed = 20261125;

    // 512 MiB, as a container has a limit: with a machine to itself .NET leaves large bodies uncollected for long
    private const string HeapLimitHex = "20000000";

    // between two points of .NET's own choice of when to collect; 30 KiB kept for each message would be more
    private const long MaxGrowthBytes = 200L << 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(150);
    private static readonly string[] Queues = [RawProducer.Errors, RawProducer.Dead];

    [Fact]
    public async Task Every_message_ends_exactly_once_with_its_output_or_a_reason_and_the_worker_is_as_it_was()
    {
        await using var worker = await WorkerUnderTest.StartAsync(
            rabbitMq,
            postgres,
            drainSeconds: 2,
            ("Dsde__Engine__BatchSize", "16"),
            ("DOTNET_GCHeapHardLimit", HeapLimitHex)
        );
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, worker.VirtualHost);
        await using var producer = await RawProducer.OpenAsync(rabbitMq.Port, worker.VirtualHost);
        var ids = new HostileMessages(Seed, []);
        var good = Enumerable
            .Range(0, GoodCount)
            .Select(number => HostileMessages.CreateGood(HostileCount + number, ids.NewGuid()))
            .ToList();
        var hostile = new HostileMessages(Seed + 1, [.. good.Take(FirstGoodCount).Select(message => message.JobId)]);
        var mixed = Enumerable.Range(0, HostileCount).Select(hostile.Create).ToList();
        for (var index = FirstGoodCount; index < GoodCount; index++)
        {
            mixed.Insert(index * (HostileCount / GoodCount), good[index]);
        }

        await SendAsync(producer, good.Take(FirstGoodCount));
        await WaitUntilEndedAsync(producer, tap, FirstGoodCount);
        await SendAsync(producer, mixed.Take(WarmUpCount));
        await WaitUntilEndedAsync(producer, tap, FirstGoodCount + WarmUpCount);
        var before = worker.ReadPrivateBytes();
        await SendAsync(producer, mixed.Skip(WarmUpCount));
        await WaitUntilEndedAsync(producer, tap, FirstGoodCount + mixed.Count);
        var after = worker.ReadPrivateBytes();

        List<FuzzMessage> sent = [.. good.Take(FirstGoodCount), .. mixed];
        var moved = await TakeAllAsync(producer);
        moved
            .GroupBy(message => message.Number)
            .Where(group => group.Count() > 1)
            .Select(group => $"{group.Key} in {string.Join(" and ", group.Select(message => $"{message.Queue}: {message.Reason}"))}")
            .ShouldBeEmpty(WhatHappenedTo(worker));
        moved.ShouldAllBe(message => message.Reason.Length > 10 && !message.Reason.Contains(HostileMessages.Marker));
        var movedNumbers = moved.Select(message => message.Number).ToHashSet();
        var told = sent.Where(message => !movedNumbers.Contains(message.Number)).ToLookup(message => message.JobId);
        var events = tap.Events.ToLookup(item => item.Message.GetProperty("jobId").GetGuid());

        // Each message is in one place, and nothing else happened.
        events.Select(group => (group.Key, group.Count())).ShouldBe(told.Select(group => (group.Key, group.Count())), ignoreOrder: true);
        moved.ShouldAllBe(message => message.Number < HostileCount);
        good.ShouldAllBe(message => events[message.JobId].Count(item => item.Type == "GenerationJobCompleted") == 1);
        foreach (var message in told.SelectMany(group => group).Where(message => !message.MayComplete && message.Kind != "conflict"))
        {
            events[message.JobId]
                .ShouldAllBe(
                    item => item.Type == "GenerationJobFailed",
                    $"{message.Kind}: {Encoding.UTF8.GetString(message.Body.AsSpan(0, Math.Min(message.Body.Length, 300)))}"
                );
        }

        var failures = tap
            .Events.Where(item => item.Type == "GenerationJobFailed")
            .Select(item =>
                (
                    Job: item.Message.GetProperty("jobId").GetGuid(),
                    Code: item.Message.GetProperty("code").GetString(),
                    Text: item.Message.GetProperty("message").GetString()
                )
            )
            .ToList();
        failures.ShouldAllBe(failure => failure.Text!.Length > 10 && !failure.Text.Contains(HostileMessages.Marker));
        failures.Count(failure => failure.Code == "job_id_conflict").ShouldBe(sent.Count(message => message.Kind == "conflict"));
        failures.ShouldNotContain(failure => failure.Code == "engine_error");
        (await StatesAsync(worker.ConnectionString)).ShouldBe(
            new Dictionary<string, long>
            {
                ["completed"] = tap.Events.Count(item => item.Type == "GenerationJobCompleted"),
                ["failed"] = failures.Count(failure => failure.Code != "job_id_conflict"),
                ["cancelled"] = tap.Events.Count(item => item.Type == "GenerationJobCancelled"),
            }.Where(entry => entry.Value > 0),
            ignoreOrder: true
        );

        // The worker is the one that was started, takes from both lanes, told nobody's prompts and is no larger than it was.
        worker.HasExited.ShouldBeFalse();
        (await worker.ReadHealthAsync()).Status.ShouldBe(System.Net.HttpStatusCode.OK);
        (await producer.CountConsumersAsync(RawProducer.Jobs), await producer.CountConsumersAsync(RawProducer.High)).ShouldBe((1u, 1u));
        worker.Log.ShouldNotContain(HostileMessages.Marker);
        var summary =
            $"private bytes {before >> 20} to {after >> 20} MiB; {moved.Count} moved, {failures.Count} failed, "
            + $"{tap.Events.Count(item => item.Type == "GenerationJobCompleted")} completed";
        TestContext.Current.SendDiagnosticMessage(summary);
        (after - before).ShouldBeLessThan(MaxGrowthBytes, summary);
        // nothing was given back to be delivered again
        worker.Log.Split('\n').Where(line => line.Contains("-FAULT", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    /// <summary>What it logged besides the ends of single messages and jobs.</summary>
    private static string WhatHappenedTo(WorkerUnderTest worker) =>
        string.Join(
            '\n',
            worker
                .Log.Split('\n')
                .Where(line =>
                    !line.Contains("is no job and was moved", StringComparison.Ordinal) && !line.Contains(" Job ", StringComparison.Ordinal)
                )
        );

    private static async Task SendAsync(RawProducer producer, IEnumerable<FuzzMessage> messages)
    {
        foreach (var some in messages.Chunk(100))
        {
            await Task.WhenAll(
                some.Select(message =>
                    producer.SendAsync(
                        message.Number % 5 == 0 ? RawProducer.High : RawProducer.Unrouted,
                        message.Body,
                        message.ToProperties()
                    )
                )
            );
        }
    }

    private static async Task WaitUntilEndedAsync(RawProducer producer, EventTap tap, int count)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Patience);
        while (true)
        {
            var counts = await Task.WhenAll(Queues.Select(producer.CountAsync));
            if (tap.Events.Count + counts.Sum(found => found) >= count)
            {
                return;
            }

            limit.IsCancellationRequested.ShouldBeFalse(
                $"Of {count} messages {tap.Events.Count} were announced and {string.Join(", ", counts)} are in {string.Join(", ", Queues)}."
            );
            await Task.Delay(200, CancellationToken.None);
        }
    }

    private static async Task<List<(int Number, string Queue, string Reason)>> TakeAllAsync(RawProducer producer)
    {
        var taken = new List<(int, string, string)>();
        foreach (var queue in Queues)
        {
            while (await producer.TryTakeAsync(queue) is { } message)
            {
                var headers = message.BasicProperties.Headers;
                var reason =
                    headers is not null && headers.TryGetValue("x-death", out _) && queue.EndsWith("-dead", StringComparison.Ordinal)
                        ? "its time to live ran out"
                        : Encoding.UTF8.GetString(headers?["MT-Fault-Message"] as byte[] ?? []);
                taken.Add((int.Parse(message.BasicProperties.MessageId!["fuzz-".Length..], CultureInfo.InvariantCulture), queue, reason));
            }
        }

        return taken;
    }

    private static async Task<Dictionary<string, long>> StatesAsync(string connectionString)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand("SELECT state, count(*) FROM generation_jobs GROUP BY state", connection);
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var states = new Dictionary<string, long>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
        {
            states.Add(reader.GetString(0), reader.GetInt64(1));
        }

        return states;
    }
}
