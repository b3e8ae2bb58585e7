using System.Diagnostics;
using Microsoft.Extensions.Time.Testing;

namespace Dsde.Benchmarks.Tests;

public sealed class MachineLoadTests
{
    [Theory]
    [InlineData(2, 2.0, 0.02, 0.0, false)]
    [InlineData(2, 1.4, 0.6, 0.0, true)] // they shared the cores
    [InlineData(2, 1.0, 0.3, 0.0, false)] // there was room for both
    [InlineData(64, 2.0, 30.0, 0.0, false)]
    [InlineData(2, 1.8, 0.0, 0.2, true)] // other machines on the same host
    public void A_machine_is_busy_when_others_worked_and_had_no_cores_left(int cores, double own, double others, double stolen, bool isBusy)
    {
        var load = new MachineLoad(cores, own, others, stolen);

        load.IsBusy.ShouldBe(isBusy);
        load.ToString().Contains("BUSY", StringComparison.Ordinal).ShouldBe(isBusy);
    }

    [Fact]
    public void Work_of_this_process_counts_as_its_own()
    {
        var time = new FakeTimeProvider(); // its second passes when the work is done, however long others had the cores meanwhile
        var before = ReadProcessorSeconds();
        var watch = MachineLoad.TryStart(time).ShouldNotBeNull();
        var (started, ended) = (ReadProcessorSeconds(), 0.0);
        while ((ended = ReadProcessorSeconds()) - started < 0.2)
        {
            Thread.SpinWait(1000);
        }

        time.Advance(TimeSpan.FromSeconds(1));
        var load = watch.Read();

        load.OwnCores.ShouldBeInRange(ended - started, ReadProcessorSeconds() - before);
        load.OtherCores.ShouldBeInRange(0, load.CoreCount);
    }

    private static double ReadProcessorSeconds()
    {
        using var process = Process.GetCurrentProcess();
        return process.TotalProcessorTime.TotalSeconds;
    }
}
