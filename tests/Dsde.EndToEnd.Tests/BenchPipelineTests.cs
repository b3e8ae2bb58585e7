using System.Text.Json;
using Dsde.Batches.Following;
using Dsde.Pipeline.Telemetry;
using Dsde.Testing;
using Npgsql;

namespace Dsde.EndToEnd.Tests;

/// <summary>What queue, database and worker take is measured with real servers, beside nobody else's jobs.</summary>
public sealed class BenchPipelineTests(RabbitMqServer rabbitMq, PostgresServer postgres)
{
    [Fact]
    public async Task The_pipeline_is_measured_beside_its_floor_and_leaves_nothing_behind()
    {
        var environment = await CreateEnvironmentAsync();

        var ended = await DsdeProgram.RunAsync(
            environment,
            "bench",
            "pipeline",
            "--jobs",
            "400",
            "--capacity",
            "16",
            "--rounds",
            "1",
            "--tokens",
            "12"
        );

        ended.ExitCode.ShouldBe(0, ended.Error);
        var round = JsonDocument.Parse(ended.Output.TrimEnd('\n').Split('\n')[^1]).RootElement.GetProperty("rounds")[0];
        var (consumed, copied) = (round.GetProperty("consumedPerSecond").GetDouble(), round.GetProperty("copiedPerSecond").GetDouble());
        round.GetProperty("jobsPerSecond").GetDouble().ShouldBeInRange(1, consumed);
        round.GetProperty("processorMsPerJob").GetDouble().ShouldBeGreaterThan(0);
        round.GetProperty("floorPerSecond").GetDouble().ShouldBe(1 / ((1 / consumed) + (1 / copied)), 1);
        ended.Output.ShouldContain("pipeline / floor");
        (await CountDatabasesAsync(environment)).ShouldBe(0);
    }

    [Fact]
    public async Task With_a_job_file_the_cost_beside_the_real_engine_is_measured()
    {
        var environment = await CreateEnvironmentAsync();

        var ended = await DsdeProgram.RunAsync(environment, "bench", "pipeline", SampleRun.JobFile, "--limit", "6", "--rounds", "2");

        ended.ExitCode.ShouldBe(0, ended.Error);
        var report = JsonDocument.Parse(ended.Output.TrimEnd('\n').Split('\n')[^1]).RootElement;
        report.GetProperty("jobCount").GetInt32().ShouldBe(6);
        var rounds = report.GetProperty("engineRounds").EnumerateArray().ToList();
        rounds.Count.ShouldBe(2);
        rounds.ShouldAllBe(round =>
            round.GetProperty("directTokensPerSecond").GetDouble() > 0 && round.GetProperty("cost").GetDouble() < 1
        );
    }

    [Fact]
    public async Task A_queue_that_is_in_use_is_left_alone()
    {
        var environment = await CreateEnvironmentAsync();
        (await DsdeProgram.RunAsync(environment, "db", "migrate")).ExitCode.ShouldBe(0);
        (await DsdeProgram.RunAsync(environment, "submit", SampleRun.JobFile, "--limit", "3")).ExitCode.ShouldBe(0);

        var ended = await DsdeProgram.RunAsync(environment, "bench", "pipeline", "--jobs", "10", "--rounds", "1");

        ended.ExitCode.ShouldBe(2);
        ended.Error.ShouldContain("is in use: 3 messages");
        ended.Error.ShouldContain("VirtualHost");
    }

    private async Task<(string, string)[]> CreateEnvironmentAsync() =>
        [
            ("Dsde__RabbitMq__Host", "127.0.0.1"),
            ("Dsde__RabbitMq__Port", $"{rabbitMq.Port}"),
            ("Dsde__RabbitMq__VirtualHost", await rabbitMq.CreateVirtualHostAsync()),
            ("Dsde__Persistence__ConnectionString", await postgres.CreateDatabaseAsync()),
        ];

    private static async Task<long> CountDatabasesAsync((string Name, string Value)[] environment)
    {
        await using var connection = new NpgsqlConnection(environment[^1].Value);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand("SELECT count(*) FROM pg_database WHERE datname LIKE 'dsde_bench_%'", connection);
        return (long)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken) ?? -1L);
    }
}
