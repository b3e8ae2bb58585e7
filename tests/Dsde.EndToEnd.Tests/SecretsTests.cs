using Dsde.Pipeline.Telemetry;
using Dsde.Testing;
using Npgsql;

namespace Dsde.EndToEnd.Tests;

/// <summary>Whatever is wrong with a connection, no output and no log at any level has the password.</summary>
public sealed class SecretsTests(RabbitMqServer rabbitMq, PostgresServer postgres)
{
    private const string Secret = "m4rk3r-s3cr3t";

    private static readonly (string, string)[] EverythingLogged =
    [
        ("Logging__LogLevel__Default", "Trace"),
        ("Logging__LogLevel__Microsoft", "Trace"),
        ("Logging__LogLevel__MassTransit", "Trace"),
        ("Logging__LogLevel__Npgsql", "Trace"),
    ];

    [Theory]
    [InlineData("Dsde__RabbitMq__Password", Secret, "ACCESS_REFUSED")]
    [InlineData("Dsde__RabbitMq__Port", "1", "refused")]
    public async Task A_worker_that_the_broker_does_not_let_in_tries_again_and_logs_no_password(string name, string value, string logged)
    {
        var site = await WorkerUnderTest.CreateSiteAsync(
            rabbitMq,
            postgres,
            [("Dsde__RabbitMq__Password", Secret), .. EverythingLogged, (name, value)]
        );
        await using var worker = await WorkerUnderTest.StartAsync(site, untilReady: false);

        await WaitForLogAsync(worker, logged);
        var (_, health) = await worker.ReadHealthAsync();

        health.ShouldNotContain(Secret);
        worker.HasExited.ShouldBeFalse();
        (await worker.StopAsync(TimeSpan.FromSeconds(60))).Log.ShouldNotContain(Secret);
    }

    [Fact]
    public async Task A_worker_that_the_database_does_not_let_in_waits_and_names_user_and_host_only()
    {
        var site = await WorkerUnderTest.CreateSiteAsync(rabbitMq, postgres);
        var wrong = new NpgsqlConnectionStringBuilder(site.Last(setting => setting.Name == "Dsde__Persistence__ConnectionString").Value)
        {
            Password = Secret,
        };
        await using var worker = await WorkerUnderTest.StartAsync(
            [.. site, .. EverythingLogged, ("Dsde__Persistence__ConnectionString", wrong.ConnectionString)],
            untilReady: false
        );

        await WaitForLogAsync(worker, $"on 127.0.0.1:{wrong.Port} refuses user dsde");

        worker.HasExited.ShouldBeFalse();
        worker.Log.ShouldNotContain(Secret);
    }

    private static async Task WaitForLogAsync(WorkerUnderTest worker, string text)
    {
        var patience = TimeProvider.System.GetTimestamp();
        while (!worker.Log.Contains(text, StringComparison.Ordinal))
        {
            TimeProvider.System.GetElapsedTime(patience).ShouldBeLessThan(TimeSpan.FromSeconds(90), worker.Log);
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }
}
