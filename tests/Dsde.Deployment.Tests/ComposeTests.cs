using Dsde.Testing;
using YamlDotNet.RepresentationModel;

namespace Dsde.Deployment.Tests;

/// <summary>What the compose file starts fits together, and fits its own head.</summary>
public sealed class ComposeTests
{
    [Fact]
    public void Services_of_which_there_may_be_several_take_no_fixed_port_and_no_fixed_name()
    {
        var worker = Compose.Service("worker");

        worker.Find("container_name").ShouldBeNull();
        worker.Find("hostname").ShouldBeNull();
        worker.At("ports").Items().Select(port => port.ToString()).ShouldBe(["127.0.0.1::8080"]);
    }

    [Fact]
    public void Every_port_is_for_this_machine_only()
    {
        var ports = Compose.Services.SelectMany(service =>
            (service.Node.Find("ports") as YamlSequenceNode)?.Children.Select(port => port.ToString()) ?? []
        );

        ports.ShouldNotBeEmpty();
        ports.ShouldAllBe(port => port.StartsWith("127.0.0.1:", StringComparison.Ordinal));
    }

    [Fact]
    public void The_worker_logs_in_as_the_user_that_broker_and_database_make()
    {
        var (worker, broker, database) = (
            Compose.Environment("worker"),
            Compose.Environment("rabbitmq"),
            Compose.Environment("postgresql")
        );

        worker["Dsde__RabbitMq__Username"].ShouldBe(broker["RABBITMQ_DEFAULT_USER"]);
        worker["Dsde__RabbitMq__Password"].ShouldBe(broker["RABBITMQ_DEFAULT_PASS"]);
        broker["RABBITMQ_DEFAULT_USER"].ShouldNotBe("guest", "the broker lets guest log in from its own container only");
        foreach (var client in new[] { worker, Compose.Environment("migration") })
        {
            var connection = new Npgsql.NpgsqlConnectionStringBuilder(client["Dsde__Persistence__ConnectionString"]);
            connection.Username.ShouldBe(database["POSTGRES_USER"]);
            connection.Password.ShouldBe(database["POSTGRES_PASSWORD"]);
            connection.Database.ShouldBe(database["POSTGRES_DB"]);
        }
    }

    /// <summary>Runs the lines of the head against a broker and a database that know only the users that the compose file makes.</summary>
    [Fact]
    public async Task The_commands_of_the_head_are_let_in()
    {
        var (user, password) = (
            Compose.Environment("rabbitmq")["RABBITMQ_DEFAULT_USER"],
            Compose.Environment("rabbitmq")["RABBITMQ_DEFAULT_PASS"]
        );
        var starting = PrivateServer.StartAsync(
            "rabbitmq",
            ("RABBITMQ_EXTRA_CONFIG", $"default_user = {user}\\ndefault_pass = {password}")
        );
        await using var postgres = await PrivateServer.StartAsync("postgresql");
        await using var rabbitMq = await starting;
        var exports = Compose.Head.Where(line => line.StartsWith("export ", StringComparison.Ordinal)).ToList();
        var submit = Compose.Head.Single(line => line.StartsWith("./dsde ", StringComparison.Ordinal)).Split(' ');
        exports.Count.ShouldBe(2);
        submit.ShouldContain("submit");

        // The same lines, but for the ports, which the compose file takes for itself; nobody works here, so that nothing is waited for.
        var script = $"""
            {string.Join('\n', exports).Replace("Port=5432", $"Port={postgres.Port}", StringComparison.Ordinal)}
            export Dsde__RabbitMq__Port={rabbitMq.Port}
            '{ProgramPath}' db migrate && '{ProgramPath}' {string.Join(' ', submit[1..^3])}
            """;
        var ended = await Command.RunAsync(["bash", "-euc", script]);

        submit[^3..].ShouldBe(["--wait", "--out", "results/"]);
        ended.ExitCode.ShouldBe(0, ended.Output + ended.Error);
    }

    [Fact]
    public void Models_are_mounted_to_be_read_and_are_there()
    {
        var worker = Compose.Environment("worker");

        Compose.Service("worker").At("volumes").Items().Single().ToString().ShouldBe("../models:/models:ro");
        foreach (var setting in new[] { "Dsde__Engine__Target", "Dsde__Engine__Draft" })
        {
            worker[setting].ShouldStartWith("/models/");
            Directory.Exists(Repository.PathOf(worker[setting].TrimStart('/'))).ShouldBeTrue(worker[setting]);
        }
    }

    [Theory]
    [InlineData("worker")]
    [InlineData("migration")]
    public void The_program_has_no_rights_and_nothing_to_write_to_but_memory(string service)
    {
        var node = Compose.Service(service);

        node.Text("read_only").ShouldBe("true");
        node.At("tmpfs").Items().Select(path => path.ToString()).ShouldBe(["/tmp"]);
        node.At("cap_drop").Items().Select(capability => capability.ToString()).ShouldBe(["ALL"]);
        node.At("security_opt").Items().Select(option => option.ToString()).ShouldBe(["no-new-privileges:true"]);
    }

    [Fact]
    public void The_head_says_how_to_start_several_workers_and_where_each_answers()
    {
        Compose.Head.ShouldContain("docker compose -f docker/compose.yaml up --build --scale worker=2");
        Compose.Head.ShouldContain(line => line.Contains("port --index 1 worker 8080", StringComparison.Ordinal));
    }

    private static string ProgramPath =>
        Path.Combine(
            Directory.GetParent(AppContext.BaseDirectory.TrimEnd('/'))!.Parent!.FullName,
            "Dsde.Worker",
            Path.GetFileName(AppContext.BaseDirectory.TrimEnd('/')),
            "dsde"
        );
}
