using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Dsde.Testing;
using Npgsql;

namespace Dsde.EndToEnd.Tests.Hosting;

/// <summary>What a worker does from its first second until it takes jobs, and how it ends at every stage of that.</summary>
public sealed class StartTests(RabbitMqServer rabbitMq, PostgresServer postgres)
{
    [Fact]
    public async Task Two_workers_with_the_settings_of_the_manual_find_each_a_port_of_its_own_and_log_it()
    {
        var site = await WorkerUnderTest.CreateSiteAsync(rabbitMq, postgres);
        await using var one = new StartedWorker(site);
        await using var other = new StartedWorker(site);

        var (first, second) = (await one.AddressAsync(), await other.AddressAsync());
        await one.HealthAsync("health/ready", HttpStatusCode.OK, "Healthy");
        await other.HealthAsync("health/ready", HttpStatusCode.OK, "Healthy");

        first.ShouldStartWith("http://127.0.0.1:8");
        second.ShouldNotBe(first);
        (await one.TerminateAsync()).ShouldBe(0, one.Log);
        (await other.TerminateAsync()).ShouldBe(0, other.Log);
    }

    [Fact]
    public async Task A_port_that_was_asked_for_and_is_taken_ends_the_worker_with_one_line_that_names_it()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        await using var worker = new StartedWorker([
            .. await WorkerUnderTest.CreateSiteAsync(rabbitMq, postgres),
            ("Dsde__Worker__HealthPort", port),
        ]);

        var (exitCode, log) = await worker.EndedAsync();

        exitCode.ShouldBe(2);
        var line = log.Trim().Split('\n').ShouldHaveSingleItem();
        line.ShouldContain($"Port {port} of 127.0.0.1 (Dsde:Worker:HealthPort) is taken");
        line.ShouldContain("ss -ltnp");
        line.ShouldContain("none");
    }

    [Fact]
    public async Task While_the_database_is_away_health_says_so_from_the_start_and_a_worker_told_to_stop_ends_with_0()
    {
        await using var worker = new StartedWorker(
            ("Dsde__Persistence__ConnectionString", $"Host=127.0.0.1;Port={FreePorts.Find(1)};Database=d;Username=u;Password=p"),
            ("Dsde__RabbitMq__Port", $"{FreePorts.Find(1)}")
        );

        await worker.HealthAsync("health/live", HttpStatusCode.OK, "Healthy");
        await worker.HealthAsync("health/ready", HttpStatusCode.ServiceUnavailable, "database: Unhealthy");
        await worker.HealthAsync("metrics", HttpStatusCode.OK, "");
        await worker.LoggedAsync("Waiting; jobs stay in the broker");

        (await worker.TerminateAsync()).ShouldBe(0, worker.Log);
        worker.Log.ShouldNotContain("   at "); // a stack
        worker.Log.ShouldNotContain("Loaded target");
    }

    [Fact]
    public async Task While_the_broker_is_away_health_names_it_and_the_models_are_not_loaded_yet()
    {
        var site = await WorkerUnderTest.CreateSiteAsync(rabbitMq, postgres);
        await using var worker = new StartedWorker([.. site, ("Dsde__RabbitMq__Port", $"{FreePorts.Find(1)}")]);

        await worker.HealthAsync("health/ready", HttpStatusCode.ServiceUnavailable, "broker: Unhealthy");
        await worker.HealthAsync("health/live", HttpStatusCode.OK, "Healthy");

        (await worker.TerminateAsync()).ShouldBe(0, worker.Log);
        worker.Log.ShouldNotContain("Loaded target");
        worker.Log.ShouldNotContain("   at ");
    }

    [Fact]
    public async Task A_worker_told_to_stop_as_soon_as_it_has_the_servers_ends_with_0_whatever_it_does_then()
    {
        var site = await WorkerUnderTest.CreateSiteAsync(rabbitMq, postgres);
        foreach (var words in (string[])["models", "Loaded target", "takes jobs"])
        {
            await using var worker = new StartedWorker(site);
            if (words == "models")
            {
                await worker.AddressAsync();
            }
            else
            {
                await worker.LoggedAsync(words);
            }

            (await worker.TerminateAsync()).ShouldBe(0, $"{words}\n{worker.Log}");
        }
    }

    private static async Task DoneAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        process.ExitCode.ShouldBe(0);
    }

    [Fact]
    public async Task A_worker_told_to_stop_while_it_reads_its_settings_ends_with_0()
    {
        using var scratch = new ScratchFolder();
        var settings = Path.Combine(scratch.Path, "appsettings.json");
        await DoneAsync("mkfifo", settings);
        using var worker = DsdeProgram.StartIn(
            scratch.Path,
            [("Dsde__Persistence__ConnectionString", "Host=127.0.0.1;Port=1")],
            ["worker"]
        );
        var error = worker.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        // The first line passes once the pipe is being read; what reads the settings again finds a file.
        const string Script = """
            exec 3>"$0"
            kill -TERM $1
            rm "$0"
            echo {} >"$0"
            echo {} >&3
            """;
        await DoneAsync("bash", "-c", Script, settings, $"{worker.Id}");
        await worker.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(60));

        worker.ExitCode.ShouldBe(0, await error);
    }

    [Theory]
    [InlineData("worker")]
    [InlineData("status 7e6f0a52-5a38-4f3e-9f0c-2f1a6d1f4a11")]
    [InlineData("db status")]
    [InlineData("db migrate")]
    public async Task A_schema_that_is_ahead_of_the_program_is_refused_with_both_versions(string verb)
    {
        var site = await WorkerUnderTest.CreateSiteAsync(rabbitMq, postgres);
        var database = site.Last(setting => setting.Name == "Dsde__Persistence__ConnectionString").Value;
        await using (var connection = new NpgsqlConnection(database))
        {
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            await using var command = new NpgsqlCommand(
                "INSERT INTO \"__EFMigrationsHistory\" VALUES ('29990101000000_FromTheFuture', '99.0')",
                connection
            );
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        var ended = await DsdeProgram.RunAsync(site, verb.Split(' '));

        ended.ExitCode.ShouldBe(verb == "db status" ? 1 : 2, ended.Error);
        var said = ended.Output + ended.Error;
        said.ShouldContain("29990101000000_FromTheFuture");
        said.ShouldContain("_Initial");
        said.ShouldContain("ahead");
    }

    [Fact]
    public async Task Without_a_port_nothing_is_listened_at()
    {
        var site = await WorkerUnderTest.CreateSiteAsync(rabbitMq, postgres);
        await using var worker = new StartedWorker([.. site, ("Dsde__Worker__HealthPort", "none")]);

        await worker.LoggedAsync("takes jobs");

        worker.Log.ShouldNotContain("http://");
        (await worker.TerminateAsync()).ShouldBe(0, worker.Log);
    }
}
