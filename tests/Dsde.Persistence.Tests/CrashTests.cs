using Dsde.Persistence.Jobs;
using Dsde.Testing;
using Npgsql;

namespace Dsde.Persistence.Tests;

/// <summary>A PostgreSQL that loses power: what was answered must be there afterwards.</summary>
public sealed class CrashTests(BreakablePostgres server) : IClassFixture<BreakablePostgres>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_mark_to_cancel_that_was_answered_outlives_a_crash_of_the_server(bool isBatch)
    {
        await using var database = await TestDatabase.CreateAsync(
            new PersistenceOptions { ConnectionString = await server.CreateDatabaseAsync() }
        );
        await ExecuteAsync(database, "ALTER SYSTEM SET wal_writer_delay = '10s'"); // what is not flushed by a commit is lost
        await ExecuteAsync(database, "SELECT pg_reload_conf()");
        var id = Guid.NewGuid();
        var claim = isBatch ? TestJobs.Claim(Guid.NewGuid(), batchId: id, batchJobCount: 1) : TestJobs.Claim(id);

        if (isBatch)
        {
            await database.Store.CancelBatchAsync(id, Cancellation);
        }
        else
        {
            (await database.Store.CancelJobAsync(id, Cancellation)).ShouldBeTrue();
        }

        await server.Server.KillAsync();
        await server.Server.RestartAsync();

        NpgsqlConnection.ClearAllPools();
        var claimed = (await database.Store.ClaimAsync(claim, Cancellation)).ShouldBeOfType<ClaimResult.Claimed>();
        claimed.IsCancelRequested.ShouldBeTrue();
    }

    private static async Task ExecuteAsync(TestDatabase database, string statement)
    {
        await using var connection = new NpgsqlConnection($"{database.Options.ConnectionString};Pooling=false");
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}
