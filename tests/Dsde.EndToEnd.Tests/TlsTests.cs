using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Hosting.Settings;
using Dsde.Pipeline.Messaging;
using Dsde.Testing;
using Dsde.Worker.Cli;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Dsde.EndToEnd.Tests;

/// <summary>Both servers by TLS: certificates are verified, and what is wrong is said without a secret.</summary>
public sealed class TlsTests(TlsServers servers) : IClassFixture<TlsServers>, IDisposable
{
    private const string Job =
        """{"custom_id":"a","method":"POST","url":"/v1/completions","body":{"model":"dsde-demo","prompt":"Q: Which day comes after """
        + """Monday?\nA:","max_tokens":8,"temperature":0}}""";

    private readonly ScratchFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_job_goes_through_submitter_and_worker_with_TLS_to_both_servers()
    {
        var password = _folder.Write("password", "guest");
        (string, string)[] settings =
        [
            .. BrokerSettings(),
            ("Dsde__RabbitMq__Password", "not this one"),
            ("Dsde__RabbitMq__PasswordFile", password),
            ("Dsde__Persistence__ConnectionString", await VerifiedConnectionStringAsync("ca.pem")),
        ];
        var migrated = await DsdeProgram.RunAsync(settings, "db", "migrate");
        migrated.ExitCode.ShouldBe(0, migrated.Error);
        await using var worker = await WorkerUnderTest.StartAsync(servers.RabbitMq, servers.Postgres, settings: settings);

        var ended = await DsdeProgram.RunAsync(
            worker.Environment,
            "submit",
            _folder.Write("jobs.jsonl", Job),
            "--wait",
            "--out",
            _folder.Path
        );

        ended.ExitCode.ShouldBe(0, ended.Error + ended.Output);
        ResultLine.Read(Path.Combine(_folder.Path, "results.jsonl")).ShouldHaveSingleItem().Text.ShouldContain("Tuesday");
    }

    [Theory]
    [InlineData("CaCertificate", "other-ca.pem", "The broker's certificate (CN=localhost, issued by CN=Tests ca) can't be verified")]
    [InlineData("CaCertificate", "", "The broker's certificate (CN=localhost, issued by CN=Tests ca) can't be verified")]
    [InlineData("CaCertificate", "client.key", "Dsde:RabbitMq:CaCertificate")]
    [InlineData("CaCertificate", "missing.pem", "missing.pem'; the file is not there")]
    [InlineData("TlsServerName", "elsewhere.example", "is not for elsewhere.example. Set Dsde:RabbitMq:Host")]
    [InlineData("ClientCertificate", "server.key", "Dsde:RabbitMq:ClientCertificate")]
    [InlineData("Password", "wrong-secret", "as user guest: ACCESS_REFUSED")]
    [InlineData("UseTls", "false", "Set UseTls, or leave it out")]
    public async Task What_is_wrong_with_the_connection_to_the_broker_is_said(string name, string value, string message)
    {
        var settings = BrokerSettings()
            .ToDictionary(setting => setting.Name.Replace("__", ":", StringComparison.Ordinal), setting => (string?)setting.Value);
        settings[$"Dsde:RabbitMq:{name}"] =
            value.Contains(".pem", StringComparison.Ordinal) || value.Contains(".key", StringComparison.Ordinal)
                ? servers.Certificates.PathOf(value)
                : value;

        var exception = await Should.ThrowAsync<Exception>(async () =>
            await new QueueTopology(
                new SettingsReader(new ConfigurationBuilder().AddInMemoryCollection(settings).Build()).Read<RabbitMqOptions>(),
                models: []
            ).DeclareAsync(TestContext.Current.CancellationToken)
        );

        var said = ExpectedFailures.Describe(exception).ShouldNotBeNull(exception.ToString());
        said.ShouldContain(message);
        said.ShouldNotContain("wrong-secret");
    }

    [Theory]
    [InlineData("ca.pem", "Bus started")]
    [InlineData("other-ca.pem", "can't be verified")] // MassTransit's own default would take it
    public async Task The_bus_takes_the_certificates_of_its_authority_only(string authority, string logged)
    {
        var log = new ListLog();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.AddProvider(log);
        builder.Services.AddRabbitMqClient(
            new RabbitMqOptions
            {
                Host = "127.0.0.1",
                Port = servers.RabbitMqTlsPort,
                UseTls = true,
                CaCertificate = servers.Certificates.PathOf(authority),
                ClientCertificate = servers.Certificates.PathOf("client.pem"),
                ClientCertificateKey = servers.Certificates.PathOf("client.key"),
            }
        );
        using var host = builder.Build();

        await host.StartAsync(TestContext.Current.CancellationToken);

        await log.WaitForAsync(logged);
        log.Lines.Any(line => line.Contains("Bus started", StringComparison.Ordinal)).ShouldBe(authority == "ca.pem");
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        await host.StopAsync(patience.Token);
    }

    [Fact]
    public async Task A_database_of_another_authority_is_refused()
    {
        var ended = await DsdeProgram.RunAsync("db", "status", "--connection", await VerifiedConnectionStringAsync("other-ca.pem"));

        ended.ExitCode.ShouldBe(2, ended.Output + ended.Error);
        ended.Error.ShouldContain("can't be reached");
        ended.Error.ShouldContain("certificate");
        ended.Error.ShouldNotContain("   at ");
    }

    [Fact]
    public async Task A_wrong_password_of_the_database_is_said_with_user_and_host_but_without_it()
    {
        var builder = new NpgsqlConnectionStringBuilder(await servers.Postgres.CreateDatabaseAsync()) { Password = "wrong-secret" };

        var ended = await DsdeProgram.RunAsync("db", "status", "--connection", builder.ConnectionString);

        ended.ExitCode.ShouldBe(2, ended.Output + ended.Error);
        ended.Error.ShouldContain($"on 127.0.0.1:{builder.Port} refuses user dsde");
        ended.Error.ShouldNotContain("wrong-secret");
        ended.Error.ShouldNotContain("   at ");
    }

    private (string Name, string Value)[] BrokerSettings() =>
        [
            ("Dsde__RabbitMq__Host", "127.0.0.1"),
            ("Dsde__RabbitMq__Port", $"{servers.RabbitMqTlsPort}"),
            ("Dsde__RabbitMq__UseTls", "true"),
            ("Dsde__RabbitMq__CaCertificate", servers.Certificates.PathOf("ca.pem")),
            ("Dsde__RabbitMq__ClientCertificate", servers.Certificates.PathOf("client.pem")),
            ("Dsde__RabbitMq__ClientCertificateKey", servers.Certificates.PathOf("client.key")),
        ];

    private async Task<string> VerifiedConnectionStringAsync(string authority) =>
        $"{await servers.Postgres.CreateDatabaseAsync()};SSL Mode=VerifyFull;Root Certificate={servers.Certificates.PathOf(authority)}";
}
