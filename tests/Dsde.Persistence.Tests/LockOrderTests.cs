using Dsde.Persistence.Jobs;
using Dsde.Persistence.Storage.Postgres;
using Dsde.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Dsde.Persistence.Tests;

/// <summary>
/// Jobs are locked in the order of their ids, whatever the order in which they end, so that no two transactions can wait in a ring.
/// </summary>
public sealed class LockOrderTests(PostgresServer server)
{
    private const int Jobs = 9;
    private const int Held = 4; // the place of the one that somebody else has, in order of ids

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Of_jobs_that_end_together_none_is_locked_before_all_of_lower_ids_are()
    {
        await using var database = await TestDatabase.CreateAsync(
            new PersistenceOptions { ConnectionString = await server.CreateDatabaseAsync() }
        );
        var ends = new List<JobEnd>();
        for (var i = 0; i < Jobs; i++)
        {
            var claim = await database.Store.ClaimAsync(TestJobs.Claim(Guid.NewGuid()), Cancellation);
            ends.Add(TestJobs.Completed(claim.ShouldBeOfType<ClaimResult.Claimed>().Lease));
        }

        await using var other = database.CreateContext();
        var ids = await other
            .Database.SqlQuery<Guid>($"SELECT job_id AS \"Value\" FROM generation_jobs ORDER BY job_id")
            .ToListAsync(Cancellation);
        ends = [.. ends.OrderByDescending(end => ids.IndexOf(end.Lease.JobId))];
        await using var held = await other.Database.BeginTransactionAsync(Cancellation);
        await other.Database.ExecuteSqlAsync($"SELECT FROM generation_jobs WHERE job_id = {ids[Held]} FOR UPDATE", Cancellation);

        await using var context = database.CreateContext();
        await using var transaction = await context.Database.BeginTransactionAsync(Cancellation);
        var ending = new PostgresDialect().EndJobsAsync(context, ends, DateTimeOffset.UnixEpoch, Cancellation);
        var free = await WaitForOneThatWaitsAsync(database);
        await held.RollbackAsync(Cancellation);

        free.ShouldBe(ids.Skip(Held + 1));
        (await ending).Count.ShouldBe(Jobs);
    }

    /// <summary>The jobs that nobody has locked when a transaction waits for another one.</summary>
    private static async Task<List<Guid>> WaitForOneThatWaitsAsync(TestDatabase database)
    {
        await using var context = database.CreateContext();
        while (
            !await context
                .Database.SqlQuery<bool>(
                    $"""
                    SELECT EXISTS (SELECT FROM pg_stat_activity
                        WHERE datname = current_database() AND wait_event_type = 'Lock') AS "Value"
                    """
                )
                .SingleAsync(Cancellation)
        )
        {
            await Task.Delay(10, Cancellation);
        }

        return await context
            .Database.SqlQuery<Guid>($"SELECT job_id AS \"Value\" FROM generation_jobs ORDER BY job_id FOR UPDATE SKIP LOCKED")
            .ToListAsync(Cancellation);
    }
}
