using System.Text.Json;
using Dsde.Contracts;
using Dsde.Testing;
using RabbitMQ.Client;

namespace Dsde.EndToEnd.Tests;

/// <summary>Jobs that are called off or too late, queued or running, by commands in raw JSON: what the event and the row say.</summary>
public sealed class CancellationTests(CancellationTests.SmallWorker shared) : IClassFixture<CancellationTests.SmallWorker>
{
    /// <summary>Holds two jobs at a time, and saves early how far they are.</summary>
    public sealed class SmallWorker(RabbitMqServer rabbitMq, PostgresServer postgres) : SharedWorker(rabbitMq, postgres)
    {
        protected override (string Name, string Value)[] Settings =>
            [("Dsde__Engine__BatchSize", "2"), ("Dsde__Worker__PrefetchMargin", "0"), ("Dsde__Worker__CheckpointTokens", "16")];
    }

    private const string ToJob = "Dsde.Contracts:CancelGenerationJob";
    private const string ToBatch = "Dsde.Contracts:CancelGenerationBatch";

    [Fact]
    public async Task A_job_that_runs_keeps_the_text_it_has_and_one_that_waits_in_the_engine_or_in_the_queue_never_starts()
    {
        await using var tap = await shared.OpenTapAsync();
        var (running, claimed, queued) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
        await tap.PublishAsync(LongJob(running));
        await WaitForTextAsync(running);
        await tap.PublishAsync(LongJob(claimed)); // its outputs stand in line behind the first one's
        await tap.PublishAsync(LongJob(queued));
        await Rows.WaitAsync(shared.Worker.ConnectionString, $"SELECT EXISTS (SELECT 1 FROM generation_jobs WHERE job_id = '{claimed}')");

        await tap.PublishToAsync(ToJob, $$"""{"jobId":"{{queued}}"}""");
        await tap.PublishToAsync(ToJob, $$"""{"jobId":"{{claimed}}"}""", new BasicProperties()); // without a content type
        var early = await tap.WaitForJobAsync(claimed);
        await tap.PublishToAsync(ToJob, $$"""{"jobId":"{{running}}"}""");

        ShouldBeCutShort(await tap.WaitForJobAsync(running), "cancelled");
        await ShouldBeStoredAsync(running, "cancelled", hasText: true);
        foreach (var unstarted in (TappedEvent[])[early, await tap.WaitForJobAsync(queued)])
        {
            unstarted.Type.ShouldBe("GenerationJobCancelled");
            IsAbsent(unstarted.Message, "text").ShouldBeTrue();
            await ShouldBeStoredAsync(unstarted.JobId.ShouldNotBeNull(), "cancelled", hasText: false);
        }
    }

    [Fact]
    public async Task A_batch_is_called_off_with_what_runs_and_what_waits_and_told_to_be_complete()
    {
        await using var tap = await shared.OpenTapAsync();
        var batchId = Guid.NewGuid();
        Guid[] ids = [Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid()];
        foreach (var id in ids)
        {
            await tap.PublishAsync(LongJob(id, $"\"batchId\":\"{batchId}\",\"batchJobCount\":{ids.Length},"));
        }

        await Rows.WaitAsync(
            shared.Worker.ConnectionString,
            $"SELECT EXISTS (SELECT 1 FROM job_checkpoints JOIN generation_jobs USING (job_id) WHERE batch_id = '{batchId}')"
        );

        await tap.PublishToAsync(ToBatch, $$"""{"batchId":"{{batchId}}"}""");

        var told = await tap.WaitForAsync(item => item.Type == "GenerationBatchCompleted");
        told.Message.GetProperty("batchId").GetGuid().ShouldBe(batchId);
        told.Message.GetProperty("jobCount").GetInt32().ShouldBe(ids.Length);
        told.Message.GetProperty("cancelledCount").GetInt32().ShouldBe(ids.Length);
        told.Properties.CorrelationId.ShouldBe($"{batchId}");
        foreach (var id in ids)
        {
            (await tap.WaitForJobAsync(id)).Type.ShouldBe("GenerationJobCancelled");
        }

        (
            await Rows.CountAsync(
                shared.Worker.ConnectionString,
                $"SELECT count(*) FROM generation_jobs WHERE batch_id = '{batchId}' AND state = 'cancelled'"
            )
        ).ShouldBe(ids.Length);
        (
            await Rows.CountAsync(
                shared.Worker.ConnectionString,
                $"SELECT count(*) FROM generation_jobs WHERE batch_id = '{batchId}' AND text <> ''"
            )
        ).ShouldBeInRange(1, 2); // what ran
    }

    [Fact]
    public async Task A_deadline_that_passes_cuts_a_running_job_and_one_that_has_passed_lets_a_job_not_start()
    {
        await using var tap = await shared.OpenTapAsync();
        var late = Guid.NewGuid();

        await tap.PublishAsync(LongJob(late, $"\"expiresAt\":\"{TimeProvider.System.GetUtcNow().AddSeconds(-1):O}\","));
        var (running, cut) = await RunIntoDeadlineAsync(tap);

        var unstarted = await tap.WaitForJobAsync(late);
        unstarted.Message.GetProperty("reason").GetString().ShouldBe("expired");
        IsAbsent(unstarted.Message, "text").ShouldBeTrue();
        await ShouldBeStoredAsync(late, "expired", hasText: false);
        ShouldBeCutShort(cut, "expired");
        await ShouldBeStoredAsync(running, "expired", hasText: true);
    }

    /// <summary>A job whose deadline passes while it runs: later ones, until the machine has begun with it by then.</summary>
    private static async Task<(Guid JobId, TappedEvent Told)> RunIntoDeadlineAsync(EventTap tap)
    {
        for (var seconds = 2; ; seconds *= 2)
        {
            var jobId = Guid.NewGuid();
            await tap.PublishAsync(LongJob(jobId, $"\"expiresAt\":\"{TimeProvider.System.GetUtcNow().AddSeconds(seconds):O}\","));
            var told = await tap.WaitForJobAsync(jobId);
            if (!IsAbsent(told.Message, "text") || seconds > 30)
            {
                return (jobId, told);
            }
        }
    }

    [Theory]
    [InlineData("this is no JSON")]
    [InlineData("{}")]
    [InlineData("""{"jobId":"7","batchId":7}""")]
    public async Task A_command_that_can_not_be_read_is_dropped_and_the_next_is_taken(string body)
    {
        await using var tap = await shared.OpenTapAsync();
        var jobId = Guid.NewGuid();
        await tap.PublishToAsync(ToJob, body);
        await tap.PublishToAsync(ToBatch, body);

        await tap.PublishToAsync(ToJob, $$"""{"jobId":"{{jobId}}"}""");
        // it is remembered
        await Rows.WaitAsync(shared.Worker.ConnectionString, $"SELECT EXISTS (SELECT 1 FROM generation_jobs WHERE job_id = '{jobId}')");
        await tap.PublishAsync(LongJob(jobId));

        (await tap.WaitForJobAsync(jobId)).Type.ShouldBe("GenerationJobCancelled");
    }

    private static void ShouldBeCutShort(TappedEvent told, string reason)
    {
        told.Type.ShouldBe("GenerationJobCancelled");
        told.Message.GetProperty("reason").GetString().ShouldBe(reason);
        told.Message.GetProperty("text").GetString().ShouldNotBeNullOrEmpty();
        told.Message.GetProperty("usage").GetProperty("completionTokens").GetInt32().ShouldBeGreaterThan(0);
    }

    private async Task ShouldBeStoredAsync(Guid jobId, string reason, bool hasText)
    {
        var row = (
            await Rows.ReadAsync(
                shared.Worker.ConnectionString,
                "SELECT state, cancel_reason, text IS NOT NULL AND text <> '', "
                    + "(SELECT count(*) FROM job_checkpoints c WHERE c.job_id = j.job_id) "
                    + $"FROM generation_jobs j WHERE job_id = '{jobId}'"
            )
        ).ShouldHaveSingleItem();
        string.Join(", ", row).ShouldBe($"cancelled, {reason}, {hasText}, 0");
    }

    /// <summary>Waits until a job has a saved text.</summary>
    private Task WaitForTextAsync(Guid id) =>
        Rows.WaitAsync(shared.Worker.ConnectionString, $"SELECT EXISTS (SELECT 1 FROM job_checkpoints WHERE job_id = '{id}')");

    private static bool IsAbsent(JsonElement message, string name) =>
        !message.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null;

    /// <summary>A job that takes minutes, however fast the engine.</summary>
    private static string LongJob(Guid jobId, string more = "") =>
        $$"""{"jobId":"{{jobId}}",{{more}}"model":"dsde-demo","prompt":"Story: Once there were two foxes","maxTokens":900"""
        + $$""","temperature":1,"ignoreEos":true,"choiceCount":100}""";
}
