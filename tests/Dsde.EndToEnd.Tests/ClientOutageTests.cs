using Dsde.EndToEnd.Tests.Chaos;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests;

/// <summary>What submit, status, results and cancel do while database or broker is away, and how they end before their time.</summary>
public sealed class ClientOutageTests(ClientOutageTests.Site site) : IClassFixture<ClientOutageTests.Site>
{
    private const int JobCount = 4;
    private const string Waiting = "Waiting for it, at most";

    public sealed class Site : IAsyncLifetime
    {
        private WorkerUnderTest? _worker;

        public BreakableServers Servers { get; } = new();

        internal WorkerUnderTest Worker => _worker ?? throw new InvalidOperationException("The worker has not been started.");

        public async ValueTask InitializeAsync()
        {
            await Servers.InitializeAsync();
            _worker = await WorkerUnderTest.StartAsync(
                Servers.RabbitMq,
                Servers.Postgres,
                settings: ("Dsde__Engine__BatchSize", $"{JobCount}")
            );
        }

        public async ValueTask DisposeAsync()
        {
            await Worker.DisposeAsync();
            await Servers.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_database_that_goes_away_is_waited_for_by_who_follows_and_by_who_connects_and_the_results_are_complete()
    {
        using var folder = new ScratchFolder();
        var batchId = $"{Guid.NewGuid()}";
        await using var submit = StartSubmit(folder, "--batch-id", batchId);
        await submit.WaitForAsync($"batch {batchId}: {JobCount} jobs sent");

        await site.Servers.Postgres.Server.StopAsync();
        await submit.WaitForAsync(Waiting);
        await using var status = Start("status", batchId);
        await using var results = Start("results", batchId, "--out", folder.Path);
        await status.WaitForAsync(Waiting);
        await results.WaitForAsync(Waiting);
        await site.Servers.Postgres.Server.RestartAsync();

        (await status.EndAsync(0)).ShouldContain($"of {JobCount} jobs ended");
        (await submit.EndAsync(0)).ShouldContain("dsde: the database is back after");
        ReadResults(folder).Count.ShouldBe(JobCount);
    }

    [Fact]
    public async Task At_the_end_of_the_patience_the_cause_and_commands_are_said_that_give_complete_results_afterwards()
    {
        using var folder = new ScratchFolder("out's");
        await using var submit = StartSubmit(folder, "--patience", "1");
        await submit.WaitForAsync($"{JobCount} jobs sent");

        await site.Servers.Postgres.Server.StopAsync();
        var said = await submit.EndAsync(2);
        await site.Servers.Postgres.Server.RestartAsync();

        var last = said.TrimEnd().Split('\n').Last();
        last.ShouldContain("can't be reached");
        last.ShouldContain("It has been away for longer than --patience allows (1 s). All jobs were sent and go on.");
        var again = await DsdeProgram.RunTypedAsync(site.Worker.Environment, ClientUnderTest.FindCommand(last, "submit"));
        again.ExitCode.ShouldBe(0, again.Error);
        ReadResults(folder).Count.ShouldBe(JobCount);
        File.Delete(Path.Combine(folder.Path, "results.jsonl"));
        var results = await DsdeProgram.RunTypedAsync(site.Worker.Environment, ClientUnderTest.FindCommand(last, "results"));
        results.ExitCode.ShouldBe(0, results.Error);
        ReadResults(folder).Count.ShouldBe(JobCount);
    }

    [Fact]
    public async Task Who_is_interrupted_is_told_a_command_that_goes_on_and_no_job_is_done_twice()
    {
        using var folder = new ScratchFolder();
        var batchId = $"{Guid.NewGuid()}";
        await using var submit = StartSubmit(folder, "--batch-id", batchId);
        await Rows.WaitAsync(
            site.Worker.ConnectionString,
            $"SELECT EXISTS (SELECT 1 FROM generation_jobs WHERE batch_id = '{batchId}' AND state = 'running')"
        );
        await submit.WaitForAsync($"batch {batchId}: {JobCount} jobs sent");

        var said = await submit.InterruptAsync(130);
        said.ShouldContain("dsde: interrupted. All jobs were sent and go on.");
        var again = await DsdeProgram.RunTypedAsync(site.Worker.Environment, ClientUnderTest.FindCommand(said, "submit"));

        again.ExitCode.ShouldBe(0, again.Error);
        ReadResults(folder).Count.ShouldBe(JobCount);
        var rows = await Rows.ReadAsync(
            site.Worker.ConnectionString,
            $"SELECT state, attempt FROM generation_jobs WHERE batch_id = '{batchId}'"
        );
        rows.Count.ShouldBe(JobCount);
        rows.ShouldAllBe(row => "completed".Equals(row[0]) && 1.Equals(row[1]));
    }

    [Fact]
    public async Task A_broker_that_goes_away_while_jobs_are_sent_is_waited_for_and_a_cancellation_is_marked_without_it()
    {
        const int many = 40; // more than are sent before the first is confirmed
        using var folder = new ScratchFolder();
        var (batchId, other) = (Guid.NewGuid(), Guid.NewGuid());
        var file = ChaosJobs.WriteOfOneModel(folder.Path, "jobs.jsonl", many);
        await site.Servers.RabbitMq.SetMemoryAlarmAsync(true); // takes no job, so that sending is under way when it goes
        await using var submit = Start("submit", file, "--batch-id", $"{batchId}", "--wait", "--out", folder.Path);
        await Rows.WaitAsync(
            site.Worker.ConnectionString,
            $"SELECT EXISTS (SELECT 1 FROM generation_batches WHERE batch_id = '{batchId}')"
        );

        await site.Servers.RabbitMq.Server.StopAsync();
        await using var cancel = Start("cancel", $"{other}", "--ahead", "--batch", "--patience", "1");
        await using var late = Start("submit", file, "--patience", "1");
        await submit.WaitForAsync(Waiting);
        var (unsaid, unsent) = (await cancel.EndAsync(2), await late.EndAsync(2));
        await site.Servers.RabbitMq.Server.RestartAsync();

        (await submit.EndAsync(0)).ShouldContain("dsde: RabbitMQ is back after");
        ReadResults(folder).Count.ShouldBe(many);
        unsent.ShouldContain($"Nothing was sent. Go on with: dsde submit {file} --patience 1 --batch-id ");
        unsaid.ShouldContain("The database has the mark that calls the batch off");
        var marked = $"SELECT count(*) FROM generation_batches WHERE batch_id = '{other}' AND cancel_requested_at IS NOT NULL";
        (await Rows.CountAsync(site.Worker.ConnectionString, marked)).ShouldBe(1);
        var told = await DsdeProgram.RunTypedAsync(site.Worker.Environment, ClientUnderTest.FindCommand(unsaid, "cancel"));
        told.Output.ShouldContain("workers were told");
    }

    [Fact]
    public async Task However_often_its_connection_is_cut_all_jobs_are_sent()
    {
        const int many = 4000;
        using var folder = new ScratchFolder();
        var settings = await WorkerUnderTest.CreateSiteAsync(site.Servers.RabbitMq, site.Servers.Postgres); // jobs that nobody does
        var virtualHost = settings.Last(setting => setting.Name == "Dsde__RabbitMq__VirtualHost").Value;
        var file = ChaosJobs.WriteOfOneModel(folder.Path, "jobs.jsonl", many);
        await using var submit = ClientUnderTest.Start(settings, "submit", file, "--patience", "60");

        var (cuts, ended) = (0, submit.EndAsync(0));
        while (cuts < 20 && !ended.IsCompleted)
        {
            cuts += await site.Servers.RabbitMq.CutConnectionsAsync(virtualHost);
            await Task.WhenAny(ended, Task.Delay(100, TestContext.Current.CancellationToken));
        }

        (await ended).ShouldContain($"{many} jobs sent");
        cuts.ShouldBeGreaterThan(5, "Hardly anything was cut, so nothing is tried.");
    }

    [Theory]
    [InlineData("Dsde__RabbitMq__Password", "wrong", "ACCESS_REFUSED")]
    [InlineData("Dsde__RabbitMq__VirtualHost", "nowhere", "vhost nowhere not found")]
    [InlineData("Dsde__Persistence__ConnectionString", "Username=nobody", "refuses user nobody")]
    public async Task What_waiting_can_not_mend_is_said_at_once_in_one_line(string setting, string value, string message)
    {
        using var folder = new ScratchFolder();
        var given = setting.EndsWith("ConnectionString", StringComparison.Ordinal) ? $"{site.Worker.ConnectionString};{value}" : value;

        var ended = await DsdeProgram.RunAsync([.. site.Worker.Environment, (setting, given)], "submit", LongJobs.Write(folder.Path));

        ended.ExitCode.ShouldBe(2, ended.Error);
        ended.Error.Trim().Split('\n').ShouldHaveSingleItem().ShouldContain(message);
    }

    private ClientUnderTest StartSubmit(ScratchFolder folder, params string[] more) =>
        Start(["submit", LongJobs.Write(folder.Path), "--limit", $"{JobCount}", "--wait", "--out", folder.Path, .. more]);

    private ClientUnderTest Start(params string[] arguments) => ClientUnderTest.Start(site.Worker.Environment, arguments);

    private static IReadOnlyList<ResultLine> ReadResults(ScratchFolder folder) =>
        ResultLine.Read(Path.Combine(folder.Path, "results.jsonl"));
}
