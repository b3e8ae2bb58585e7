using System.Diagnostics;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests.Hosting;

/// <summary>Whoever ends a group of processes, as timeout does, sends each of them two signals.</summary>
public sealed class SignalTests(RabbitMqServer rabbitMq, PostgresServer postgres)
{
    [Theory]
    [InlineData("TERM", 0)]
    [InlineData("TERM", 30)]
    [InlineData("TERM", 60)]
    [InlineData("INT", 0)]
    [InlineData("INT", 60)]
    public async Task A_second_signal_while_a_program_ends_changes_nothing(string signal, int millisecondsLater)
    {
        var database = $"Host=127.0.0.1;Port={FreePorts.Find(1)};Database=dsde;Username=dsde;Password=dsde";
        using var process = DsdeProgram.Start([("Dsde__Persistence__ConnectionString", database)], "status", $"{Guid.NewGuid()}");
        var first = await process.StandardError.ReadLineAsync(TestContext.Current.CancellationToken);
        first.ShouldNotBeNull().ShouldContain("Waiting for it"); // for minutes

        // One program sends both, so that the second one is there before the first is through.
        using var both = Process.Start(
            "bash",
            ["-c", $"kill -{signal} {process.Id} && sleep 0.{millisecondsLater:000} && kill -{signal} {process.Id}"]
        );

        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        process.ExitCode.ShouldBe(130);
        (await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken))
            .Trim()
            .ShouldStartWith("dsde: interrupted. Go on with: dsde status ");
        await both.WaitForExitAsync(TestContext.Current.CancellationToken);
        (both.ExitCode == 0 || millisecondsLater > 0).ShouldBeTrue("The program had gone before the second signal.");
    }

    [Fact]
    public async Task A_second_Ctrl_C_of_somebody_who_has_waited_ends_a_program_on_the_spot()
    {
        await using var worker = await WorkerUnderTest.StartAsync(rabbitMq, postgres, drainSeconds: 300);
        await BrokerTests.SubmitAsync(worker, folder => LongJobs.Write(folder, choices: 8), "--limit", "4");
        await Rows.WaitAsync(worker.ConnectionString, "SELECT count(*) = 4 FROM generation_jobs WHERE state = 'running'");

        await worker.InterruptAsync();
        await Task.Delay(TimeSpan.FromSeconds(1.5), TestContext.Current.CancellationToken);
        worker.HasExited.ShouldBeFalse();
        await worker.InterruptAsync();

        (await worker.WaitForExitAsync(TimeSpan.FromSeconds(10))).ExitCode.ShouldBe(130);
    }
}
