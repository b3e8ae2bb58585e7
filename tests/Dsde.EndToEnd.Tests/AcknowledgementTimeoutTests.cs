using Dsde.Pipeline.Telemetry;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests;

/// <summary>Jobs that run longer than the broker waits for acknowledgements.</summary>
public sealed class AcknowledgementTimeoutTests(PostgresServer postgres)
{
    private const int Jobs = 8;
    private const int OutputsEach = 5; // however fast the engine is, together they last several timeouts

    [Fact]
    public async Task Jobs_several_times_as_long_as_the_timeout_run_once_and_the_consumer_comes_back_each_time()
    {
        await using var broker = new ImpatientBroker();
        await broker.InitializeAsync();
        await using var worker = await WorkerUnderTest.StartAsync(
            broker,
            postgres,
            settings: [("Dsde__Engine__BatchSize", "8"), ("Dsde__Engine__Policy", "autoregressive"), ("Dsde__Engine__Threads", "1")]
        );
        await using var tap = await EventTap.OpenAsync(broker.Port, worker.VirtualHost);

        await BrokerTests.SubmitAsync(worker, folder => LongJobs.Write(folder, OutputsEach), "--limit", $"{Jobs}");
        await BrokerTests.RequireAllEndedOnceAsync(broker, worker, tap, Jobs);

        broker
            .CountTimeouts()
            .ShouldBeGreaterThanOrEqualTo(3, "The consumer came back too seldom, or the jobs were too short for the timeout.");
        (await Rows.ReadAsync(worker.ConnectionString, "SELECT DISTINCT attempt FROM generation_jobs"))
            .ShouldHaveSingleItem()
            .ShouldBe([1]);
        worker.Log.ShouldNotContain("its endpoint is restarted"); // letting go of the deliveries is enough
    }

    /// <summary>Waits two seconds for an acknowledgement, and looks every half.</summary>
    private sealed class ImpatientBroker : RabbitMqServer
    {
        protected override (string Name, string Value)[] Settings =>
            [("RABBITMQ_EXTRA_CONFIG", "consumer_timeout = 2000"), ("RABBITMQ_EXTRA_ARGUMENTS", "-rabbit channel_tick_interval 500")];

        /// <summary>Channels that were closed for it.</summary>
        public int CountTimeouts() =>
            Directory
                .EnumerateFiles(Path.Combine(Server.Folder, "log"), "*.log")
                .SelectMany(File.ReadLines)
                .Count(line => line.Contains("has timed out waiting for delivery acknowledgement", StringComparison.Ordinal));
    }
}
