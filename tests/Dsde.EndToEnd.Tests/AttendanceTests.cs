using System.Text.Json;
using System.Text.RegularExpressions;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests;

/// <summary>What <c>submit</c> says of jobs that nobody works on.</summary>
public sealed class AttendanceTests(RabbitMqServer rabbitMq, PostgresServer postgres)
{
    private const string Nobody = "no worker is attached to ";
    private const string Somebody = "a worker is attached now";

    [Fact]
    public async Task Without_a_worker_it_names_the_queues_of_the_jobs_that_nobody_reads_and_says_when_somebody_does()
    {
        using var folder = new ScratchFolder();
        var site = await WorkerUnderTest.CreateSiteAsync(rabbitMq, postgres);
        var high = await SubmitAsync(site, folder, priorities: [2]);
        var both = await SubmitAsync(site, folder, priorities: [0, 1]);
        using var waiting = DsdeProgram.Start(site, "submit", LongJobs.Write(folder.Path), "--wait", "--out", folder.Path);
        var log = new ProcessLog(waiting);
        await LoggedAsync(log, Nobody);
        log.Text.ShouldNotContain(Somebody);

        await using var worker = await WorkerUnderTest.StartAsync(site);
        await LoggedAsync(log, Somebody);
        waiting.Kill();

        high.ShouldContain($"{Nobody}dsde-generation-jobs.dsde-demo.high of RabbitMQ at ");
        both.ShouldContain($"{Nobody}dsde-generation-jobs.dsde-demo and dsde-generation-jobs.dsde-demo.high of RabbitMQ at ");
        var text = await log.ReadToEndAsync();
        text.ShouldContain($"{Nobody}dsde-generation-jobs.dsde-demo of RabbitMQ at ");
        text.ShouldContain("Start one with: dsde worker");
        Regex.Count(text, Somebody).ShouldBe(1, text);
    }

    [Fact]
    public async Task With_a_worker_it_says_nothing_of_workers()
    {
        using var folder = new ScratchFolder();
        await using var worker = await WorkerUnderTest.StartAsync(rabbitMq, postgres);

        using var waiting = DsdeProgram.Start(worker.Environment, "submit", Write(folder, [0, 1]), "--wait", "--out", folder.Path);
        var log = new ProcessLog(waiting);
        await waiting.WaitForExitAsync(TestContext.Current.CancellationToken);

        var text = await log.ReadToEndAsync();
        waiting.ExitCode.ShouldBe(0, text);
        text.ShouldNotContain("worker");
    }

    [Fact]
    public async Task With_a_worker_that_has_another_broker_or_another_database_it_says_what_each_server_knows()
    {
        using var folder = new ScratchFolder();
        var (one, other) = (
            await WorkerUnderTest.CreateSiteAsync(rabbitMq, postgres),
            await WorkerUnderTest.CreateSiteAsync(rabbitMq, postgres)
        );
        await using var worker = await WorkerUnderTest.StartAsync([
            .. one,
            other.Last(setting => setting.Name == "Dsde__RabbitMq__VirtualHost"),
        ]);

        (await SubmitAsync(one, folder, priorities: [0])).ShouldContain("although 1 is alive in the database");
        (await SubmitAsync(other, folder, priorities: [0])).ShouldContain("or uses another database, and then the results go there");
    }

    private static async Task<string> SubmitAsync(IEnumerable<(string Name, string Value)> site, ScratchFolder folder, int[] priorities) =>
        (await DsdeProgram.RunAsync(site, "submit", Write(folder, priorities))).Error;

    private static string Write(ScratchFolder folder, int[] priorities) =>
        folder.Write(
            $"{string.Join('-', priorities)}.jsonl",
            [
                .. priorities.Select(priority =>
                    JsonSerializer.Serialize(
                        new
                        {
                            custom_id = $"{priority}",
                            url = "/v1/completions",
                            body = new
                            {
                                model = "dsde-demo",
                                prompt = "Story:",
                                max_tokens = 8,
                                priority,
                            },
                        }
                    )
                ),
            ]
        );

    private static async Task LoggedAsync(ProcessLog log, string words)
    {
        for (var start = TimeProvider.System.GetTimestamp(); !log.Text.Contains(words, StringComparison.Ordinal); )
        {
            TimeProvider.System.GetElapsedTime(start).ShouldBeLessThan(TimeSpan.FromSeconds(60), $"{words}:\n{log.Text}");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }
}
