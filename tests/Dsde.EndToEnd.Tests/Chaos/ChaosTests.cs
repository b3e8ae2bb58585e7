using System.Text.Json;
using Dsde.Batches.Files.Writing;
using Dsde.Pipeline.Telemetry;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests.Chaos;

/// <summary>
/// Workers of two models, a broker and a database, of which something breaks every few seconds while they work on some hundred jobs. Those
/// of the second model come before there is a worker for them, and a third of all by a producer that knows nothing of routing keys.
/// </summary>
public sealed class ChaosTests(BreakableServers servers, ITestOutputHelper output) : IClassFixture<BreakableServers>
{
    /// <summary>
    /// Texts depend on the seed alone, and much is checkpointed. Nobody is suspected of killing its worker: here all are innocent.
    /// </summary>
    private static readonly (string, string)[] Settings =
    [
        ("Dsde__Engine__Numerics", "deterministic"),
        ("Dsde__Engine__Threads", "1"),
        ("Dsde__Worker__CheckpointTokens", "32"),
        ("Dsde__Worker__LostStartsBeforeNarrowing", "100"),
        ("Dsde__Worker__DrainSeconds", "2"),
        ("Dsde__Worker__ModelWaitSeconds", "3600"),
    ];

    [Fact]
    public async Task Whatever_is_killed_every_job_ends_once_and_with_the_text_of_an_undisturbed_run()
    {
        var plan = ChaosPlan.Read();
        Log($"DSDE_CHAOS_SEED={plan.Seed} DSDE_CHAOS_KILLS={plan.KillCount} DSDE_CHAOS_JOBS={plan.JobCount}");
        using var folder = new ScratchFolder();
        var early = plan.JobCount / 3;
        var (late, plain) = (early, plan.JobCount - early - early);
        (string Id, int Count)[] batches = [(NewId(), early), (NewId(), late), (NewId(), plain)];
        var files = (
            Early: ChaosJobs.Write(folder.Path, "early.jsonl", 0, early),
            Late: ChaosJobs.Write(folder.Path, "late.jsonl", early, late)
        );
        var undisturbed = RunUndisturbedAsync(plan.JobCount, folder.Path);
        var settings = await WorkerUnderTest.CreateSiteAsync(servers.RabbitMq, servers.Postgres, Settings);
        var (virtualHost, connectionString) = (Value("Dsde__RabbitMq__VirtualHost"), Value("Dsde__Persistence__ConnectionString"));
        await using var tap = await EventTap.OpenAsync(servers.RabbitMq.Port, virtualHost);
        var expected = await undisturbed;
        var ledger = new ChaosLedger(servers, virtualHost, connectionString, tap);
        await using var monkey = new ChaosMonkey(plan, servers, settings, Log);
        await monkey.StartAsync();
        await servers.RabbitMq.SettleAsync();
        await SubmitAsync(settings, files.Early, batches[0].Id);

        var sending = Task.CompletedTask;
        var (started, lastBreak) = (TimeProvider.System.GetTimestamp(), TimeProvider.System.GetTimestamp());
        var completed = 0L;
        while (completed < plan.JobCount || monkey.Done < plan.KillCount)
        {
            if (TimeProvider.System.GetElapsedTime(started) > plan.Patience)
            {
                var description = await ledger.DescribeAsync(expected.Keys);
                Log($"{completed} completed; everything is sent: {sending.IsCompleted}; {description}"); // what is shown last
                Assert.Fail(
                    $"{completed} of {plan.JobCount} jobs are completed after {plan.Patience} and {monkey.Done} kills.\n"
                        + string.Join("\n\n", monkey.Workers.Select(LastLinesOf))
                        + $"\n\nBefore:\n{string.Join('\n', monkey.Troubles)}"
                );
            }

            await monkey.LookAsync();
            if (sending.IsFaulted)
            {
                await sending;
            }

            completed =
                await Rows.TryCountAsync(
                    connectionString,
                    "SELECT count(*) FROM generation_jobs WHERE state IN ('completed', 'failed', 'cancelled')"
                ) ?? completed;
            var due = (double)(monkey.Done + 1) / (plan.KillCount + 2) * plan.JobCount * 0.95;
            if (
                monkey.Done < plan.KillCount
                && (completed >= due || TimeProvider.System.GetElapsedTime(lastBreak) > TimeSpan.FromSeconds(12))
                && await monkey.TryBreakAsync()
            )
            {
                lastBreak = TimeProvider.System.GetTimestamp();
            }

            if (sending == Task.CompletedTask && completed > early / 3)
            {
                sending = Task.WhenAll(
                    SubmitAsync(settings, files.Late, batches[1].Id), // through whatever breaks
                    PlainProducer.SendAsync(
                        servers.RabbitMq.Port,
                        virtualHost,
                        Enumerable.Range(early + late, plain).Select(number => ChaosJobs.ToMessage(number, batches[2].Id, plain))
                    )
                );
                await monkey.StartOtherAsync();
            }

            await Task.Delay(300, TestContext.Current.CancellationToken);
        }

        await sending;
        await monkey.MendAsync();
        Log(
            $"all ended {TimeProvider.System.GetElapsedTime(started).TotalSeconds:F0} s after the start, {tap.Events.Count} events, "
                + string.Join(", ", monkey.Tally.Select(entry => $"{entry.Key} {entry.Value}"))
        );
        await ledger.ShouldHaveTextsOfAsync(expected);
        await ledger.ShouldHaveEventsAsync(plan.JobCount, batches.ToDictionary(batch => batch.Id, batch => batch.Count));
        await ledger.ShouldHaveEmptyQueuesAsync();
        await ledger.ShouldHaveConsistentRowsAsync();

        string NewId() => Guid.NewGuid().ToString();

        string Value(string name) => settings.Last(setting => setting.Name == name).Value;
    }

    private void Log(string line)
    {
        output.WriteLine($"{TimeProvider.System.GetUtcNow():HH:mm:ss} {line}");
        if (Environment.GetEnvironmentVariable("DSDE_TEST_LOGS") is { Length: > 0 } folder)
        {
            File.AppendAllText(Path.Combine(folder, "chaos.log"), $"{TimeProvider.System.GetUtcNow():HH:mm:ss.fff} {line}\n");
        }
    }

    private static async Task<IReadOnlyDictionary<string, string[]>> RunUndisturbedAsync(int jobCount, string folder)
    {
        var texts = new Dictionary<string, string[]>();
        foreach (var (model, settings) in ChaosJobs.Models)
        {
            foreach (var (customId, choices) in await RunUndisturbedAsync(jobCount, Path.Combine(folder, model), model, settings))
            {
                texts.Add(customId, choices);
            }
        }

        return texts;
    }

    private static async Task<IReadOnlyDictionary<string, string[]>> RunUndisturbedAsync(
        int jobCount,
        string folder,
        string model,
        (string Name, string Value)[] settings
    )
    {
        Directory.CreateDirectory(folder);
        var ended = await DsdeProgram.RunAsync(
            [("Dsde__Engine__Numerics", "deterministic"), ("Dsde__Engine__DataType", "fp32"), .. settings],
            "run",
            ChaosJobs.Write(folder, "all.jsonl", 0, jobCount, model),
            "--out",
            folder,
            "--no-speedup"
        );
        ended.ExitCode.ShouldBe(0, ended.Error);
        return ResultLine
            .Read(Path.Combine(folder, "results.jsonl"))
            .ToDictionary(
                result => result.CustomId,
                result =>
                    result
                        .Line.GetProperty("response")
                        .GetProperty("body")
                        .GetProperty("choices")
                        .EnumerateArray()
                        .Select(choice => choice.GetProperty("text").GetString() ?? "")
                        .ToArray()
            );
    }

    /// <summary>Whatever goes away meanwhile, it is waited for.</summary>
    private static async Task SubmitAsync(IReadOnlyList<(string Name, string Value)> settings, string file, string batchId)
    {
        var ended = await DsdeProgram.RunAsync(settings, "submit", file, "--batch-id", batchId);
        ended.ExitCode.ShouldBe(0, ended.Error);
    }

    private static string LastLinesOf(WorkerUnderTest worker) =>
        $"{worker.WorkerId}{(worker.HasExited ? " (ended)" : "")}:\n{string.Join('\n', worker.Log.TrimEnd().Split('\n').TakeLast(25))}";
}
