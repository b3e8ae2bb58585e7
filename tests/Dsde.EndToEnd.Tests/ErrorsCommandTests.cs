using System.Text;
using System.Text.Json;
using Dsde.Contracts;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Messaging.Taking;
using Dsde.Testing;
using RabbitMQ.Client;

namespace Dsde.EndToEnd.Tests;

/// <summary>An operator looks after what ended in the error queue.</summary>
public sealed class ErrorsCommandTests(RabbitMqServer rabbitMq, PostgresServer postgres)
{
    private const string Prompt = "Q: Which day comes after Monday?";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Messages_are_listed_with_their_reasons_and_requeued_or_dropped_and_none_is_lost_on_the_way()
    {
        await using var worker = await WorkerUnderTest.StartAsync(rabbitMq, postgres);
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, worker.VirtualHost);
        await using var producer = await RawProducer.OpenAsync(rabbitMq.Port, worker.VirtualHost);
        var jobId = Guid.NewGuid();
        var job = $$"""{"jobId":"{{jobId}}","model":"later","prompt":"{{Prompt}}","maxTokens":8}""";

        // A job that has failed, and its message in the error queue with the worker's reason: as one is left that the engine failed on.
        await producer.SendAsync(RawProducer.Unrouted, "{\"jobId\": 7");
        await producer.WaitForCountAsync(RawProducer.Errors, 1, Patience);
        await producer.SendAsync(RawProducer.Jobs, job);
        await tap.WaitForAsync(1);
        await producer.SendAsync(
            RawProducer.Errors,
            job,
            new BasicProperties
            {
                ContentType = "application/json",
                Headers = new Dictionary<string, object?>
                {
                    ["MT-Fault-Message"] = "The engine failed: it is cold.",
                    ["MT-Fault-ExceptionType"] = "Dsde.Engine.EngineFailureException",
                    ["mine"] = "kept",
                },
            }
        );

        var list = await ErrorsAsync("list");
        list.ShouldContain("is not a JSON object");
        list.ShouldContain("The engine failed: it is cold.");
        list.ShouldContain(jobId.ToString());
        list.ShouldContain("2 messages");
        list.ShouldNotContain(Prompt);
        var lines = (await ErrorsAsync("list", "--json"))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement)
            .ToList();
        lines.Select(line => line.GetProperty("jobId").GetString()).ShouldBe([null, jobId.ToString()]);
        lines.Select(line => line.GetProperty("bytes").GetInt32()).ShouldBe([11, Encoding.UTF8.GetByteCount(job)]);
        (await ErrorsAsync("list", "--limit", "1")).ShouldContain("2 messages, 1 of them not shown");

        // Whoever serves the model now gets the job again.
        (await worker.StopAsync(Patience)).ExitCode.ShouldBe(0);
        await using var other = await worker.StartAnotherAsync(("Dsde__Worker__Models__1", "later"));
        (await ErrorsAsync("requeue", "--job", $"{jobId}")).ShouldContain(
            $"requeued job {jobId} from {RawProducer.Errors}, its failure is taken back"
        );
        await tap.WaitForAsync(2);
        tap.Events.Select(item => item.Type).ShouldBe(["GenerationJobFailed", "GenerationJobCompleted"]);
        await producer.WaitForCountAsync(RawProducer.Errors, 1, Patience);
        (await DsdeProgram.RunAsync(worker.Environment, "errors", "requeue", "--job", $"{jobId}")).Error.ShouldContain(
            $"No message of job {jobId} is in {RawProducer.Errors}"
        );

        // What can't be read comes back.
        (await ErrorsAsync("requeue", "--all")).ShouldContain("1 message requeued");
        await producer.WaitForCountAsync(RawProducer.Unrouted, 0, Patience);
        await producer.WaitForCountAsync(RawProducer.Errors, 1, Patience);

        var unasked = await DsdeProgram.RunAsync(worker.Environment, "errors", "drop", "--all");
        (unasked.ExitCode, unasked.Error.Contains("Give --yes", StringComparison.Ordinal)).ShouldBe((2, true), unasked.Error);
        (await ErrorsAsync("drop", "--all", "--yes")).ShouldContain(
            $"dropped a message of 11 bytes without a job id from {RawProducer.Errors}: The body is not a JSON object"
        );
        (await ErrorsAsync("list")).ShouldContain("0 messages");

        async Task<string> ErrorsAsync(params string[] arguments)
        {
            var ended = await DsdeProgram.RunAsync(worker.Environment, ["errors", .. arguments]);
            ended.ExitCode.ShouldBe(0, ended.Error);
            return ended.Output;
        }
    }

    [Fact]
    public async Task Messages_that_were_taken_and_not_acknowledged_go_back_to_their_places()
    {
        var virtualHost = await rabbitMq.CreateVirtualHostAsync();
        var options = new RabbitMqOptions
        {
            Host = "127.0.0.1",
            Port = rabbitMq.Port,
            VirtualHost = virtualHost,
        };
        await new QueueTopology(options, models: []).DeclareAsync(TestContext.Current.CancellationToken);
        await using var producer = await RawProducer.OpenAsync(rabbitMq.Port, virtualHost);
        for (var bytes = 1; bytes <= 4; bytes++)
        {
            await producer.SendAsync(RawProducer.Dead, new string('x', bytes));
        }

        (await TakeAsync(3, acknowledged: 2)).ShouldBe([1, 2, 3]);
        (await TakeAsync(9)).ShouldBe([1, 3, 4]);
        (await TakeAsync(9)).ShouldBe([1, 3, 4]);

        async Task<List<int>> TakeAsync(uint limit, int acknowledged = 0)
        {
            var taken = new List<int>();
            await using var connection = await PlainConnection.OpenAsync(options, TestContext.Current.CancellationToken);
            var reader = new QueueReader(connection);
            await foreach (var message in reader.TakeAsync(RawProducer.Dead, limit, TestContext.Current.CancellationToken))
            {
                taken.Add(message.Body.Length);
                if (message.Body.Length == acknowledged)
                {
                    await message.AcknowledgeAsync(TestContext.Current.CancellationToken);
                }
            }

            return taken;
        }
    }
}
