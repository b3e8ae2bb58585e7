using System.Text.Json;
using Dsde.Batches.Files.Writing;
using Dsde.Pipeline.Telemetry;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests.Chaos;

/// <summary>
/// Two workers, a broker and a database, of which something breaks every few seconds while they work on some hundred jobs.
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
    ];

    [Fact]
    public async Task Whatever_is_killed_every_job_ends_once_and_with_the_text_of_an_undisturbed_run()
    {
        var plan = ChaosPlan.Read();
        Log($"DSDE_CHAOS_SEED={plan.Seed} DSDE_CHAOS_KILLS={plan.KillCount} DSDE_CHAOS_JOBS={plan.JobCount}");
        using var folder = new ScratchFolder();
        var early = plan.JobCount / 2;
        (string Id, string File, int Count)[] batches =
        [
            (Guid.NewGuid().ToString(), ChaosJobs.Write(folder.Path, "early.jsonl", 0, early), early),
            (Guid.NewGuid().ToString(), ChaosJobs.Write(folder.Path, "late.jsonl", early, plan.JobCount - early), plan.JobCount - early),
        ];
        var undisturbed = RunUndisturbedAsync(ChaosJobs.Write(folder.Path, "all.jsonl", 0, plan.JobCount), folder.Path);
        var settings = await WorkerUnderTest.CreateSiteAsync(servers.RabbitMq, servers.Postgres, Settings);
        var (virtualHost, connectionString) = (Value("Dsde__RabbitMq__VirtualHost"), Value("Dsde__Persistence__ConnectionString"));
        await using var tap = await EventTap.OpenAsync(servers.RabbitMq.Port, virtualHost);
        var expected = await undisturbed;
        var ledger = new ChaosLedger(servers, virtualHost, connectionString, tap);
        await using var monkey = new ChaosMonkey(plan, servers, settings, Log);
        await monkey.StartAsync();
        await servers.RabbitMq.SettleAsync();
        await SubmitAsync(settings, batches[0].File, batches[0].Id);

        var late = Task.CompletedTask;
        var (started, lastBreak) = (TimeProvider.System.GetTimestamp(), TimeProvider.System.GetTimestamp());
        var completed = 0L;
        while (completed < plan.JobCount || monkey.Done < plan.KillCount)
        {
            if (TimeProvider.System.GetElapsedTime(started) > plan.Patience)
            {
                Assert.Fail(
                    $"{completed} of {plan.JobCount} jobs are completed after {plan.Patience} and {monkey.Done} kills.\n"
                        + $"{await ledger.DescribeAsync()}\n{string.Join("\n\n", monkey.Workers.Select(LastLinesOf))}"
                );
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

            if (late == Task.CompletedTask && completed > early / 2)
            {
                late = SubmitAsync(settings, batches[1].File, batches[1].Id); // through whatever breaks
            }

            await Task.Delay(300, TestContext.Current.CancellationToken);
        }

        await late;
        await monkey.MendAsync();
        Log(
            $"all ended {TimeProvider.System.GetElapsedTime(started).TotalSeconds:F0} s after the start, {tap.Events.Count} events, "
                + string.Join(", ", monkey.Tally.Select(entry => $"{entry.Key} {entry.Value}"))
        );
        await ledger.ShouldHaveTextsOfAsync(expected);
        await ledger.ShouldHaveEventsAsync(plan.JobCount, batches.ToDictionary(batch => batch.Id, batch => batch.Count));
        await ledger.ShouldHaveEmptyQueuesAsync();
        await ledger.ShouldHaveConsistentRowsAsync();

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

    private static async Task<IReadOnlyDictionary<string, string[]>> RunUndisturbedAsync(string file, string folder)
    {
        var ended = await DsdeProgram.RunAsync(
            [("Dsde__Engine__Numerics", "deterministic"), ("Dsde__Engine__DataType", "fp32")],
            "run",
            file,
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
