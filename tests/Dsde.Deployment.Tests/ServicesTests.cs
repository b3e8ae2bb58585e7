using System.Net;
using System.Net.Sockets;
using Dsde.Testing;

namespace Dsde.Deployment.Tests;

/// <summary>eng/services.sh as people call it: twice, from where they are, with ports that are taken.</summary>
public sealed class ServicesTests
{
    [Fact]
    public async Task Two_starts_at_once_in_a_folder_with_a_space_named_from_where_one_is_start_the_servers_once()
    {
        using var scratch = new ScratchFolder();
        var opened = await Command.RunAsync(["chmod", "755", scratch.Path]);
        opened.ExitCode.ShouldBe(0, opened.Error);
        var services = new Services(scratch.Path, Path.Combine("my services", "of today"));
        try
        {
            var starts = await Task.WhenAll(services.RunAsync("start"), services.RunAsync("start"));

            starts.ShouldAllBe(start => start.ExitCode == 0, string.Concat(starts.Select(start => start.Output + start.Error)));
            starts.Count(start => start.Output.Contains("PostgreSQL runs already", StringComparison.Ordinal)).ShouldBe(1);
            starts.Count(start => start.Output.Contains("RabbitMQ runs already", StringComparison.Ordinal)).ShouldBe(1);
            (await services.RunAsync("status")).ExitCode.ShouldBe(0);
        }
        finally
        {
            var stop = await services.RunAsync("stop");
            stop.ExitCode.ShouldBe(0, stop.Error);
        }

        (await services.RunAsync("status")).ExitCode.ShouldBe(1);
        await Command.RunAsync(["rm", "-rf", Path.Combine(scratch.Path, "my services")]); // some of it is PostgreSQL's
    }

    [Fact]
    public async Task A_stop_without_a_start_says_that_there_is_nothing_to_stop()
    {
        using var scratch = new ScratchFolder();

        var stop = await new Services(scratch.Path, "never").RunAsync("stop");

        stop.ShouldBe(new Ended(0, $"nothing to stop: there is no folder {Path.Combine(scratch.Path, "never")}\n", ""));
        Directory.GetFileSystemEntries(scratch.Path).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(0, "DSDE_POSTGRESQL_PORT")]
    [InlineData(1, "DSDE_RABBITMQ_PORT")]
    [InlineData(4, "DSDE_RABBITMQ_PORT")] // the management pages'
    public async Task A_port_that_is_taken_is_named_with_its_variable_before_anything_starts(int offset, string variable)
    {
        using var scratch = new ScratchFolder();
        var ports = FreePorts.Find(5);
        using var taken = new TcpListener(IPAddress.Loopback, ports + offset);
        taken.Start();

        var start = await new Services(scratch.Path, "services", $"{ports}", $"{ports + 1}").RunAsync("start");

        start.ExitCode.ShouldBe(2);
        start.Output.ShouldBeEmpty();
        start.Error.ShouldStartWith($"services.sh: port {ports + offset} is taken by another program; set {variable} to ");
        start.Error.TrimEnd().Split('\n').Length.ShouldBe(1);
    }

    [Theory]
    [InlineData("0", "55672", "DSDE_POSTGRESQL_PORT is \"0\"")]
    [InlineData("x", "55672", "DSDE_POSTGRESQL_PORT is \"x\"")]
    [InlineData("55432", "65534", "DSDE_RABBITMQ_PORT is \"65534\"")] // and three more
    public async Task What_is_no_port_is_refused_by_its_variable(string postgresql, string rabbitMq, string message)
    {
        using var scratch = new ScratchFolder();

        var start = await new Services(scratch.Path, "services", postgresql, rabbitMq).RunAsync("start");

        start.ExitCode.ShouldBe(2);
        start.Error.ShouldStartWith($"services.sh: {message}, and takes a port");
        start.Error.TrimEnd().Split('\n').Length.ShouldBe(1);
    }

    [Theory]
    [InlineData("it's")]
    [InlineData("a\"b")]
    public async Task A_folder_whose_name_RabbitMQ_hangs_on_is_refused(string name)
    {
        using var scratch = new ScratchFolder();

        var start = await new Services(scratch.Path, name).RunAsync("start");

        start.ExitCode.ShouldBe(2);
        start.Error.ShouldStartWith($"services.sh: servers can't run in {Path.Combine(scratch.Path, name)}");
        start.Error.ShouldContain("DSDE_SERVICES_FOLDER");
    }

    private sealed class Services(string where, string folder, string? postgresql = null, string? rabbitMq = null)
    {
        private readonly string _postgresql = postgresql ?? $"{FreePorts.Find(1)}";
        private readonly string _rabbitMq = rabbitMq ?? $"{FreePorts.Find(4)}";

        public Task<Ended> RunAsync(string verb) =>
            Command.RunAsync(
                [Repository.PathOf("eng", "services.sh"), verb],
                folder: where,
                environment: [("DSDE_SERVICES_FOLDER", folder), ("DSDE_POSTGRESQL_PORT", _postgresql), ("DSDE_RABBITMQ_PORT", _rabbitMq)]
            );
    }
}
