using System.Text;
using System.Text.Json;
using Dsde.Contracts;
using Dsde.Pipeline.Telemetry;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests.Chaos;

/// <summary>What is left when the dust has settled: every job ended once, with its text, its rows and its event.</summary>
internal sealed class ChaosLedger(BreakableServers servers, string virtualHost, string connectionString, EventTap tap)
{
    private static readonly string[] JobQueues =
    [
        .. ChaosJobs
            .Models.Keys.SelectMany(model => new[] { model, $"{model}.high", $"{model}.resumed" })
            .Select(key => $"{RawProducer.Exchange}.{key}"),
        RawProducer.Unrouted,
        RawProducer.Parked,
        "dsde-generation-jobs-held",
    ];

    private static readonly string[] GivenUp = [RawProducer.Errors, RawProducer.Dead];
    private static readonly string[] Counts = ["messages_ready", "messages_unacknowledged", "consumers", "state", "leader"];

    /// <summary>Every job has one row, completed, with the texts of an undisturbed run.</summary>
    public async Task ShouldHaveTextsOfAsync(IReadOnlyDictionary<string, string[]> expected)
    {
        var rows = await Rows.ReadAsync(
            connectionString,
            """
            SELECT custom_id, state,
                array_cat(ARRAY[text], (SELECT array_agg(c.text ORDER BY c.choice) FROM job_choices c WHERE c.job_id = j.job_id)),
                failure_message
            FROM generation_jobs j
            """
        );
        rows.Where(row => !"completed".Equals(row[1])).Select(row => $"{row[0]}: {row[1]} {row[3]}").ShouldBeEmpty();
        rows.Count.ShouldBe(expected.Count);
        rows.Select(row => (string)row[0]!).ShouldBe(expected.Keys, ignoreOrder: true);
        rows.Where(row => !((string[])row[2]!).SequenceEqual(expected[(string)row[0]!]))
            .Select(row => row[0])
            .ShouldBeEmpty("These jobs have other texts than in an undisturbed run.");
    }

    /// <summary>
    /// Nothing is there twice, nothing belongs to nothing, nothing is left of what was under way, and the batches' counts are right.
    /// </summary>
    public async Task ShouldHaveConsistentRowsAsync()
    {
        await ShouldBeNoneAsync("job_traces t WHERE NOT EXISTS (SELECT FROM generation_jobs j WHERE j.job_id = t.job_id)");
        await ShouldBeNoneAsync("job_choices c WHERE NOT EXISTS (SELECT FROM generation_jobs j WHERE j.job_id = c.job_id)");
        await ShouldBeNoneAsync("job_checkpoints");
        await ShouldBeNoneAsync("(SELECT job_id FROM job_traces GROUP BY job_id, choice HAVING count(*) > 1) doubled");
        await ShouldBeNoneAsync(
            "generation_jobs j WHERE completion_tokens > 0 AND NOT EXISTS (SELECT FROM job_traces t WHERE t.job_id = j.job_id "
                + "AND t.choice = 0)"
        );
        await ShouldBeNoneAsync(
            "(SELECT job_id, completion_tokens AS n FROM job_choices) c LEFT JOIN (SELECT job_id, count(*) AS traces "
                + "FROM job_traces GROUP BY job_id) t USING (job_id) WHERE t.traces <> 2"
        );
        await ShouldBeNoneAsync(
            "job_traces t JOIN generation_jobs j USING (job_id) WHERE t.choice = 0 AND t.completion_tokens <> j.completion_tokens"
        );
        await ShouldBeNoneAsync(
            """
            generation_batches b JOIN (SELECT batch_id, count(*) AS jobs FROM generation_jobs GROUP BY batch_id) j USING (batch_id)
            WHERE (b.job_count, b.completed_count, b.failed_count, b.cancelled_count) <> (j.jobs, j.jobs, 0, 0) OR b.announced_at IS NULL
            """
        );
    }

    /// <summary>
    /// Every job is announced, under one message id and with the same words each time; so is every batch, with its counts.
    /// </summary>
    public async Task ShouldHaveEventsAsync(int jobCount, IReadOnlyDictionary<string, int> batches)
    {
        await tap.WaitUntilAsync(
            () =>
                Ids("GenerationJobCompleted", "jobId").Count() == jobCount
                && Ids("GenerationBatchCompleted", "batchId").Count() == batches.Count,
            TimeSpan.FromSeconds(60)
        );

        tap.Events.Select(item => item.Type).Distinct().ShouldBe(["GenerationJobCompleted", "GenerationBatchCompleted"], ignoreOrder: true);
        var jobs = tap
            .Events.Where(item => item.Type == "GenerationJobCompleted")
            .GroupBy(item => item.Message.GetProperty("jobId").GetString())
            .ToList();
        jobs.Where(events => events.Select(item => item.MessageId).Distinct().Count() != 1).Select(events => events.Key).ShouldBeEmpty();
        jobs.Where(events => events.Select(item => item.Message.GetRawText()).Distinct().Count() != 1)
            .Select(events => events.Key)
            .ShouldBeEmpty();
        jobs.Select(events => events.First().MessageId).Distinct().Count().ShouldBe(jobCount);
        foreach (var (batchId, count) in batches)
        {
            var events = tap
                .Events.Where(item => item.Type == "GenerationBatchCompleted" && item.Message.GetProperty("batchId").GetString() == batchId)
                .ToList();
            events.Select(item => item.MessageId).Distinct().ShouldHaveSingleItem();
            events.Select(item => item.Message.GetRawText()).Distinct().ShouldHaveSingleItem();
            events[0].Message.GetProperty("jobCount").GetInt32().ShouldBe(count);
            events[0].Message.GetProperty("completedCount").GetInt32().ShouldBe(count);
        }
    }

    /// <summary>All messages are acknowledged, and none went aside.</summary>
    public async Task ShouldHaveEmptyQueuesAsync()
    {
        foreach (var queue in JobQueues)
        {
            await servers.RabbitMq.WaitUntilEmptyAsync(virtualHost, queue);
            await tap.ShouldBeEmptyAsync($"{queue}_skipped");
        }

        await tap.ShouldBeEmptyAsync(GivenUp);
    }

    /// <summary>For people who have to find out why it hangs.</summary>
    /// <param name="customIds">Of all jobs that are to end.</param>
    public async Task<string> DescribeAsync(IEnumerable<string> customIds)
    {
        var lines = new List<string>();
        try
        {
            var known = await Rows.ReadAsync(connectionString, "SELECT custom_id FROM generation_jobs");
            lines.Add($"no worker has met: {string.Join(' ', customIds.Except(known.Select(row => (string)row[0]!)))}");
            foreach (
                var row in await Rows.ReadAsync(
                    connectionString,
                    "SELECT state, count(*), min(worker_id), max(attempt) FROM generation_jobs GROUP BY state, worker_id"
                )
            )
            {
                lines.Add($"{row[1]} jobs {row[0]}, worker {row[2]}, at most {row[3]} attempts");
            }

            foreach (
                var row in await Rows.ReadAsync(
                    connectionString,
                    "SELECT custom_id, job_id, state, worker_id, attempt, lease_until - now(), request IS NULL "
                        + "FROM generation_jobs WHERE state <> 'completed' ORDER BY created_at LIMIT 20"
                )
            )
            {
                lines.Add(string.Join(' ', row));
            }

            foreach (var queue in (string[])[.. JobQueues, .. GivenUp])
            {
                var found = await servers.RabbitMq.FindQueueAsync(virtualHost, queue);
                lines.Add($"{queue}: {string.Join(", ", Counts.Select(name => $"{name} {Show(found, name)}"))}");
            }

            await using var producer = await RawProducer.OpenAsync(servers.RabbitMq.Port, virtualHost);
            foreach (var queue in GivenUp)
            {
                while (await producer.TryTakeAsync(queue) is { } message)
                {
                    var headers = message.BasicProperties.Headers?.Select(header => $"{header.Key}={ShowHeader(header.Value)}") ?? [];
                    lines.Add($"in {queue}: {Encoding.UTF8.GetString(message.Body.Span)} {string.Join(", ", headers)}");
                }
            }
        }
        catch (Exception exception) when (exception is Npgsql.NpgsqlException or HttpRequestException)
        {
            lines.Add(exception.Message);
        }

        return string.Join('\n', lines);

        static string? ShowHeader(object? value) => value is byte[] text ? Encoding.UTF8.GetString(text) : value?.ToString();

        static string? Show(JsonElement? queue, string name) =>
            queue is { } found && found.TryGetProperty(name, out var value) ? value.ToString() : null;
    }

    private IEnumerable<string?> Ids(string type, string property) =>
        tap.Events.Where(item => item.Type == type).Select(item => item.Message.GetProperty(property).GetString()).Distinct();

    private async Task ShouldBeNoneAsync(string what) =>
        (await Rows.CountAsync(connectionString, $"SELECT count(*) FROM {what}")).ShouldBe(0, what);
}
