using Dsde.Testing;
using Dsde.Worker.Cli;

namespace Dsde.Worker.Tests.Cli;

/// <summary>What `dsde health` says where it can ask nobody; a worker that answers is in the tests of the image.</summary>
public sealed class HealthCommandTests
{
    [Fact]
    public async Task A_worker_that_does_not_answer_is_not_well()
    {
        var port = FreePorts.Find(1);

        var ended = await CommandLine.RunAsync("health", "--port", $"{port}");

        ended.ExitCode.ShouldBe(ExitCodes.NotWell);
        ended.Output.ShouldBeEmpty();
        ended.Error.ShouldStartWith($"dsde: No worker answers at http://127.0.0.1:{port}/health/ready: Connection refused");
    }

    [Fact]
    public async Task A_port_that_only_the_log_has_is_asked_for()
    {
        var ended = await CommandLine.RunAsync("health");

        ended.ExitCode.ShouldBe(ExitCodes.SetupError);
        ended.Error.ShouldContain("Dsde:Worker:HealthPort is auto, so that only the worker's log has its port. Give it by --port");
    }
}
