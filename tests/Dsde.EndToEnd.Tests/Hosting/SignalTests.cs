using Dsde.Testing;

namespace Dsde.EndToEnd.Tests.Hosting;

/// <summary>Whoever ends a group of processes, as timeout does, sends each of them two signals.</summary>
public sealed class SignalTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(30)]
    [InlineData(60)]
    [InlineData(100)]
    public async Task A_second_signal_while_a_program_ends_changes_nothing(int millisecondsLater)
    {
        var database = $"Host=127.0.0.1;Port={FreePorts.Find(1)};Database=dsde;Username=dsde;Password=dsde";
        using var process = DsdeProgram.Start([("Dsde__Persistence__ConnectionString", database)], "status", $"{Guid.NewGuid()}");
        var first = await process.StandardError.ReadLineAsync(TestContext.Current.CancellationToken);
        first.ShouldNotBeNull().ShouldContain("Waiting for it"); // it does what it would go on with for minutes

        var ending = DsdeProgram.SignalAsync(process, "TERM", TimeSpan.FromSeconds(60));
        await Task.Delay(millisecondsLater, TestContext.Current.CancellationToken);
        using var again = System.Diagnostics.Process.Start("kill", ["-TERM", $"{process.Id}"]);

        (await ending).ShouldBe(130);
        (await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken)).ShouldNotContain("xception");
    }
}
