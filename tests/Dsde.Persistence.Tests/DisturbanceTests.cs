using Dsde.Persistence.Jobs;
using Dsde.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Dsde.Persistence.Tests;

/// <summary>PostgreSQL that ends connections in the middle of things, and clients that stand still in the middle of them.</summary>
public sealed class DisturbanceTests(PostgresServer server)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Connections_that_were_cut_while_they_waited_in_the_pool_fail_nobody()
    {
        await using var database = await CreateAsync();
        var lease = await ClaimAsync(database);

        (await server.CutConnectionsAsync(database.Options.ConnectionString)).ShouldBeGreaterThan(0);

        (await database.Store.StoreAsync(TestJobs.Completed(lease), Cancellation)).ShouldNotBeNull();
    }

    [Theory]
    [InlineData("COPY job_traces", WireCut.Before)]
    [InlineData("COPY job_traces", WireCut.After)]
    [InlineData("COMMIT", WireCut.Before)]
    [InlineData("COMMIT", WireCut.After)]
    public async Task An_end_is_stored_once_and_told_to_be_stored_wherever_the_connection_breaks(string message, WireCut cut)
    {
        await using var wire = new Wire(server.Port, WireProtocol.PostgreSql);
        var connection = new NpgsqlConnectionStringBuilder(await server.CreateDatabaseAsync())
        {
            Port = wire.Port,
            SslMode = SslMode.Disable,
            GssEncryptionMode = GssEncryptionMode.Disable,
        };
        await using var database = await TestDatabase.CreateAsync(
            new PersistenceOptions { ConnectionString = connection.ConnectionString }
        );
        var lease = await ClaimAsync(database, batchJobCount: 1);
        var broken = wire.ArmAsync(seen => seen.IsFromClient && seen.Contains(message) ? cut : WireCut.No);

        var storing = database.Store.StoreAsync(TestJobs.Completed(lease), Cancellation);
        await broken.WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
        wire.Mend();

        var stored = (await storing).ShouldNotBeNull();
        stored.CompletedBatch.ShouldNotBeNull().Completed.ShouldBe(1);
        await using var context = database.CreateContext();
        (await context.Jobs.SingleAsync(Cancellation)).State.ShouldBe(JobState.Completed);
        (await context.Traces.CountAsync(Cancellation)).ShouldBe(1);
        (await context.Batches.SingleAsync(Cancellation)).CompletedCount.ShouldBe(1);
    }

    [Theory]
    [InlineData(WireCut.Before)]
    [InlineData(WireCut.After)]
    public async Task A_claim_whose_commit_is_in_doubt_is_a_claim_and_counts_as_one_start(WireCut cut)
    {
        await using var wire = new Wire(server.Port, WireProtocol.PostgreSql);
        var connection = new NpgsqlConnectionStringBuilder(await server.CreateDatabaseAsync())
        {
            Port = wire.Port,
            SslMode = SslMode.Disable,
            GssEncryptionMode = GssEncryptionMode.Disable,
        };
        await using var database = await TestDatabase.CreateAsync(
            new PersistenceOptions { ConnectionString = connection.ConnectionString }
        );
        var broken = wire.ArmAsync(seen => seen.IsCommit ? cut : WireCut.No);

        var claiming = database.Store.ClaimAsync(TestJobs.Claim(Guid.NewGuid()), Cancellation);
        await broken.WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
        wire.Mend();

        var claimed = (await claiming).ShouldBeOfType<ClaimResult.Claimed>();
        claimed.Attempt.ShouldBe(1);
        claimed.LostStarts.ShouldBe(0);
        (await database.Store.StoreAsync(TestJobs.Completed(claimed.Lease), Cancellation)).ShouldNotBeNull();
    }

    /// <summary>
    /// Found by a chaos run: the statement that removed checkpoints had been begun, and its picture of the table taken, before the last
    /// ones were there.
    /// </summary>
    [Fact]
    public async Task A_checkpoint_that_is_just_being_saved_when_its_job_ends_does_not_stay()
    {
        await using var database = await CreateAsync();
        var lease = await ClaimAsync(database);
        await using var saving = new NpgsqlConnection(database.Options.ConnectionString);
        await saving.OpenAsync(Cancellation);
        await using var transaction = await saving.BeginTransactionAsync(Cancellation);
        await using var save = new NpgsqlCommand(
            """
            SELECT FROM generation_jobs FOR NO KEY UPDATE;
            INSERT INTO job_checkpoints (job_id, choice, token_count, state, stored_at) SELECT job_id, 0, 5, '', now() FROM generation_jobs
            """,
            saving,
            transaction
        );
        await save.ExecuteNonQueryAsync(Cancellation);

        var storing = database.Store.StoreAsync(TestJobs.Completed(lease), Cancellation);
        await using var context = database.CreateContext();
        while (
            await context
                .Database.SqlQuery<int>(
                    $"""
                    SELECT count(*)::int AS "Value" FROM pg_stat_activity
                    WHERE datname = current_database() AND wait_event_type = 'Lock'
                    """
                )
                .SingleAsync(Cancellation) == 0
        )
        {
            storing.IsCompleted.ShouldBeFalse();
            await Task.Delay(20, Cancellation);
        }

        await transaction.CommitAsync(Cancellation);

        (await storing).ShouldNotBeNull();
        (await context.Checkpoints.CountAsync(Cancellation)).ShouldBe(0);
    }

    [Fact]
    public async Task A_client_that_stands_still_in_a_transaction_is_not_waited_for_for_ever()
    {
        await using var database = await CreateAsync();
        await using var context = database.CreateContext();

        (
            await context
                .Database.SqlQuery<string>($"SELECT current_setting('idle_in_transaction_session_timeout') AS \"Value\"")
                .SingleAsync(Cancellation)
        ).ShouldBe("10s");
        (
            await context.Database.SqlQuery<string>($"SELECT current_setting('statement_timeout') AS \"Value\"").SingleAsync(Cancellation)
        ).ShouldBe("1min");
    }

    [Theory]
    [InlineData(
        "Host=h;Options=-c statement_timeout=5s",
        "-c idle_in_transaction_session_timeout=10s -c statement_timeout=60s -c statement_timeout=5s"
    )]
    [InlineData("Host=h;Command Timeout=300", "-c idle_in_transaction_session_timeout=10s -c statement_timeout=600s")]
    [InlineData("Host=h;Command Timeout=0", "-c idle_in_transaction_session_timeout=10s -c statement_timeout=0s")]
    public void Who_sets_such_bounds_himself_keeps_them(string connectionString, string options) =>
        new NpgsqlConnectionStringBuilder(HangingClients.Bound(connectionString)).Options.ShouldBe(options);

    private async Task<TestDatabase> CreateAsync() =>
        await TestDatabase.CreateAsync(new PersistenceOptions { ConnectionString = await server.CreateDatabaseAsync() });

    private static async Task<JobLease> ClaimAsync(TestDatabase database, int? batchJobCount = null) =>
        (
            await database.Store.ClaimAsync(
                TestJobs.Claim(Guid.NewGuid(), batchId: batchJobCount is null ? null : Guid.NewGuid(), batchJobCount: batchJobCount),
                Cancellation
            )
        )
            .ShouldBeOfType<ClaimResult.Claimed>()
            .Lease;
}
