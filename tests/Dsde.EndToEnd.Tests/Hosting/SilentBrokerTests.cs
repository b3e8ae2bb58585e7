using System.Diagnostics;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests.Hosting;

/// <summary>A broker that is there and answers nothing more, as on a frozen machine.</summary>
public sealed class SilentBrokerTests(PostgresServer postgres) : IAsyncLifetime
{
    private readonly BreakableRabbitMq _rabbitMq = new();

    public ValueTask InitializeAsync() => _rabbitMq.InitializeAsync();

    public ValueTask DisposeAsync() => _rabbitMq.DisposeAsync();

    [Fact]
    public async Task A_worker_that_is_told_to_stop_ends_in_its_time_though_the_broker_says_nothing_more()
    {
        const int DrainSeconds = 2;
        await using var worker = await WorkerUnderTest.StartAsync(_rabbitMq, postgres, DrainSeconds);
        await using (var tap = await EventTap.OpenAsync(_rabbitMq.Port, worker.VirtualHost))
        {
            await tap.PublishAsync(
                $$"""{"jobId":"{{Guid.NewGuid()}}","model":"dsde-demo","prompt":"Story: Once","maxTokens":900,"ignoreEos":true}"""
            );
            await Rows.WaitAsync(worker.ConnectionString, "SELECT count(*) = 1 FROM generation_jobs");
        }

        await SignalBrokerAsync("STOP");
        try
        {
            var start = TimeProvider.System.GetTimestamp();
            var (exitCode, log) = await worker.StopAsync(TimeSpan.FromSeconds(60));

            exitCode.ShouldBe(0, log);
            TimeProvider.System.GetElapsedTime(start).ShouldBeLessThan(TimeSpan.FromSeconds(DrainSeconds + 20), log);
        }
        finally
        {
            await SignalBrokerAsync("CONT");
        }
    }

    [Fact]
    public async Task A_worker_waits_for_a_broker_that_says_nothing_for_longer_than_its_client_waits_for_answers()
    {
        await using var worker = await WorkerUnderTest.StartAsync(_rabbitMq, postgres);
        await SignalBrokerAsync("STOP");
        try
        {
            await Task.Delay(TimeSpan.FromSeconds(45), TestContext.Current.CancellationToken); // the client's patience is 20 s
            worker.HasExited.ShouldBeFalse(worker.Log);
        }
        finally
        {
            await SignalBrokerAsync("CONT");
        }

        await using var producer = await RawProducer.OpenAsync(_rabbitMq.Port, worker.VirtualHost);
        await producer.SendByKeyAsync(
            "dsde-demo",
            $$"""{"jobId":"{{Guid.NewGuid()}}","model":"dsde-demo","prompt":"Story:","maxTokens":4}"""
        );
        await Rows.WaitAsync(worker.ConnectionString, "SELECT count(*) = 1 FROM generation_jobs WHERE state = 'completed'");
        worker.HasExited.ShouldBeFalse(worker.Log);
    }

    private async Task SignalBrokerAsync(string signal)
    {
        var id = await File.ReadAllTextAsync(Path.Combine(_rabbitMq.Server.Folder, "pid"), TestContext.Current.CancellationToken);
        using var kill = Process.Start("kill", [$"-{signal}", id.Trim()]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
    }
}
