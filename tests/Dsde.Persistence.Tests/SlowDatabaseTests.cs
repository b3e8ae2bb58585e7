using Dsde.Persistence.Jobs;
using Dsde.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Dsde.Persistence.Tests;

/// <summary>PostgreSQL that keeps something locked for longer than a statement may wait.</summary>
public sealed class SlowDatabaseTests(PostgresServer server)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(nameof(CompletedJobEnd))]
    [InlineData(nameof(FailedJobEnd))]
    [InlineData(nameof(CancelledJobEnd))]
    public async Task An_end_whose_second_statement_runs_out_of_time_is_not_told_to_be_stored_and_is_stored_later(string kind)
    {
        await using var database = await CreateAsync(commandSeconds: 1);
        var lease = await ClaimAsync(database);
        await database.Store.SaveCheckpointsAsync(lease, [new JobCheckpoint(0, 5, [1])], Cancellation);
        JobEnd end = kind switch
        {
            nameof(CompletedJobEnd) => TestJobs.Completed(lease),
            nameof(FailedJobEnd) => TestJobs.Failed(lease),
            _ => new CancelledJobEnd(lease, "cancelled", [], []),
        };

        await using (await LockAsync(database, "LOCK TABLE job_checkpoints IN ACCESS EXCLUSIVE MODE"))
        {
            await Should.ThrowAsync<DatabaseUnavailableException>(database.Store.StoreAsync(end, Cancellation));
        }

        (await FindAsync(database, lease)).State.ShouldBe(JobState.Running);
        (await database.Store.StoreAsync(end, Cancellation)).ShouldNotBeNull();
        (await FindAsync(database, lease)).State.ToString().ShouldBe(kind.Replace("JobEnd", "", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_transaction_in_which_a_statement_failed_is_not_taken_for_committed()
    {
        await using var database = await CreateAsync();
        await using var context = database.CreateContext();
        await using var transaction = await context.Database.BeginTransactionAsync(Cancellation);
        await Should.ThrowAsync<PostgresException>(context.Database.ExecuteSqlRawAsync("SELECT 1 / 0", Cancellation));

        await Should.ThrowAsync<PostgresException>(new Storage.Postgres.PostgresDialect().CommitAsync(context, transaction, Cancellation));
    }

    [Fact]
    public async Task An_end_that_somebody_keeps_from_being_stored_holds_up_no_other_end_of_its_worker()
    {
        await using var database = await CreateAsync();
        var leases = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => ClaimAsync(database)));
        Task<StoredEnd?> stuck;
        await using (await LockAsync(database, $"SELECT FROM generation_jobs WHERE job_id = '{leases[0].JobId}' FOR UPDATE"))
        {
            // More than one group: what comes while the first is being written, and what comes after it.
            var ends = leases.Select(lease => database.Store.StoreAsync(TestJobs.Completed(lease), Cancellation)).ToArray();
            stuck = ends[0];
            (await Task.WhenAll(ends[1..])).ShouldAllBe(end => end != null);
            var later = await ClaimAsync(database);
            (await database.Store.StoreAsync(TestJobs.Completed(later), Cancellation)).ShouldNotBeNull();
            stuck.IsCompleted.ShouldBeFalse();
        }

        (await stuck).ShouldNotBeNull();
    }

    [Theory]
    [InlineData("SELECT FROM generation_jobs WHERE job_id = $1 FOR UPDATE")]
    [InlineData("UPDATE generation_jobs SET state = 'completed', ended_at = now(), lease_until = NULL WHERE job_id = $1")] // an end
    public async Task A_job_that_somebody_keeps_locked_is_not_lost_and_keeps_no_other_lease_from_being_renewed(string statement)
    {
        await using var database = await CreateAsync();
        JobLease[] leases = [await ClaimAsync(database), await ClaimAsync(database)];
        await using (await LockAsync(database, statement.Replace("$1", $"'{leases[0].JobId}'", StringComparison.Ordinal)))
        {
            var renewing = database.Store.RenewAsync(leases, TimeSpan.FromHours(1), Cancellation);

            (await renewing.WaitAsync(TimeSpan.FromSeconds(10), Cancellation)).ShouldBeEmpty(); // a statement may wait for 30
            (await FindRenewedAsync(database)).ShouldBe([leases[1].JobId]);
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        while ((await FindRenewedAsync(database)).Count < leases.Length) // the server takes a moment to let go of what was locked
        {
            patience.Token.ThrowIfCancellationRequested();
            (await database.Store.RenewAsync(leases, TimeSpan.FromHours(1), Cancellation)).ShouldBeEmpty();
        }
    }

    [Fact]
    public async Task Checkpoints_of_many_jobs_at_once_take_fewer_connections_than_there_are()
    {
        await using var database = await CreateAsync(poolSize: 4);
        var leases = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => ClaimAsync(database)));

        var saved = await Task.WhenAll(
            leases.Select(lease => database.Store.SaveCheckpointsAsync(lease, [new JobCheckpoint(0, 1, new byte[100])], Cancellation))
        );

        saved.ShouldAllBe(isHeld => isHeld);
        await using var context = database.CreateContext();
        (await context.Checkpoints.CountAsync(Cancellation)).ShouldBe(200);
    }

    [Theory]
    [InlineData(true, "on")]
    [InlineData(false, "off")]
    public async Task A_mark_to_cancel_is_on_disk_when_it_is_answered_and_a_claim_need_not_be(bool isDurable, string expected)
    {
        await using var database = await CreateAsync();
        await using var context = database.CreateContext();
        await using var transaction = await context.Database.BeginTransactionAsync(Cancellation);
        var row = new Entities.GenerationJob { JobId = Guid.NewGuid() };

        await new Storage.Postgres.PostgresDialect().AddNewJobsAsync(context, [new(row, Lease: null)], isDurable, Cancellation);

        (
            await context.Database.SqlQuery<string>($"SELECT current_setting('synchronous_commit') AS \"Value\"").SingleAsync(Cancellation)
        ).ShouldBe(expected);
    }

    [Fact]
    public async Task Leases_are_by_the_databases_clock_so_that_a_worker_whose_clock_is_ahead_takes_nothing_that_is_alive()
    {
        await using var database = await CreateAsync();
        await using var ahead = TestDatabase.WithoutSchema(database.Options);
        ahead.Time.Advance(TimeSpan.FromMinutes(10));
        var id = Guid.NewGuid();
        var claimed = (await database.Store.ClaimAsync(TestJobs.Claim(id), Cancellation)).ShouldBeOfType<ClaimResult.Claimed>();

        (await ahead.Store.ClaimAsync(TestJobs.Claim(id, worker: "ahead"), Cancellation))
            .ShouldBeOfType<ClaimResult.Held>()
            .Remaining.ShouldBeInRange(TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(1));
        (await database.Store.RenewAsync([claimed.Lease], TimeSpan.FromMinutes(1), Cancellation)).ShouldBeEmpty();
        (await ahead.Store.ClaimAsync(TestJobs.Claim(id, worker: "ahead"), Cancellation)).ShouldBeOfType<ClaimResult.Held>();

        // And one whose clock is behind gets what has run out.
        var other = Guid.NewGuid();
        await ahead.Store.ClaimAsync(TestJobs.Claim(other, worker: "ahead") with { Lease = TimeSpan.Zero }, Cancellation);
        (await database.Store.ClaimAsync(TestJobs.Claim(other), Cancellation)).ShouldBeOfType<ClaimResult.Claimed>();
    }

    private async Task<TestDatabase> CreateAsync(int commandSeconds = 30, int poolSize = 100) =>
        await TestDatabase.CreateAsync(
            new PersistenceOptions
            {
                ConnectionString = $"{await server.CreateDatabaseAsync()};Command Timeout={commandSeconds};Maximum Pool Size={poolSize}",
            }
        );

    private static async Task<JobLease> ClaimAsync(TestDatabase database) =>
        (await database.Store.ClaimAsync(TestJobs.Claim(Guid.NewGuid()), Cancellation)).ShouldBeOfType<ClaimResult.Claimed>().Lease;

    private static async Task<StoredJob> FindAsync(TestDatabase database, JobLease lease) =>
        (await database.Store.FindAsync([lease.JobId], Cancellation)).ShouldHaveSingleItem();

    /// <summary>Jobs whose leases last longer than those of claims do.</summary>
    private static async Task<List<Guid>> FindRenewedAsync(TestDatabase database)
    {
        var later = await database.ReadClockAsync(Cancellation) + TimeSpan.FromMinutes(30);
        await using var context = database.CreateContext();
        return await context.Jobs.Where(job => job.LeaseUntil > later).Select(job => job.JobId).ToListAsync(Cancellation);
    }

    /// <summary>Somebody who locks something and keeps it until he is disposed.</summary>
    private static async Task<NpgsqlConnection> LockAsync(TestDatabase database, string statement)
    {
        var holder = new NpgsqlConnection($"{database.Options.ConnectionString};Pooling=false");
        await holder.OpenAsync(Cancellation);
        await using var locking = new NpgsqlCommand($"BEGIN; {statement}", holder);
        await locking.ExecuteNonQueryAsync(Cancellation);
        return holder;
    }
}
