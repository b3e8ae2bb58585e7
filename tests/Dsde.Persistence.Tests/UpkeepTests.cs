using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;
using Dsde.Persistence.Storage.Postgres;
using Dsde.Persistence.Upkeep;
using Dsde.Testing;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Dsde.Persistence.Tests;

/// <summary>What is old goes, and nothing else; on each database.</summary>
public abstract class UpkeepContract : IAsyncLifetime
{
    private TestDatabase? _database;

    private protected TestDatabase Database => _database ?? throw new InvalidOperationException("Not initialized.");

    private protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _database = await TestDatabase.CreateAsync(await CreateOptionsAsync());

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Database.DisposeAsync();
    }

    protected abstract Task<PersistenceOptions> CreateOptionsAsync();

    [Fact]
    public async Task A_dry_run_counts_and_removes_nothing()
    {
        await EndAsync();
        Database.Time.Advance(TimeSpan.FromDays(100));
        await EndAsync();

        foreach (var kind in Enum.GetValues<PruneKind>())
        {
            (await PruneAsync(kind, TimeSpan.FromDays(50), isDryRun: true)).Count.ShouldBe(1, kind.ToString());
        }

        await using var context = Database.CreateContext();
        (await context.Jobs.CountAsync(job => job.Text != null && job.Request != null, Cancellation)).ShouldBe(2);
        (await context.Traces.CountAsync(Cancellation)).ShouldBe(2);
    }

    [Fact]
    public async Task Traces_go_by_themselves_and_jobs_without_them_are_still_read()
    {
        var old = await EndAsync();
        Database.Time.Advance(TimeSpan.FromDays(100));
        await EndAsync();

        (await PruneAsync(PruneKind.Traces, TimeSpan.FromDays(50))).Count.ShouldBe(1);

        (await PruneAsync(PruneKind.Traces, TimeSpan.FromDays(50))).Count.ShouldBe(0);
        var job = (await Database.Store.FindAsync([old], Cancellation)).ShouldHaveSingleItem();
        (job.State, job.Outputs.Count, job.Traces.Count).ShouldBe((JobState.Completed, 1, 0));
        await using var context = Database.CreateContext();
        (await context.Traces.CountAsync(Cancellation)).ShouldBe(1);
    }

    [Fact]
    public async Task Texts_go_by_themselves_and_leave_hashes_and_counts()
    {
        var id = Guid.NewGuid();
        var claimed = (ClaimResult.Claimed)await Database.Store.ClaimAsync(TestJobs.Claim(id), Cancellation);
        var outputs = new[] { TestJobs.Output("one"), TestJobs.Output("two") };
        await Database.Store.StoreAsync(new CompletedJobEnd(claimed.Lease, outputs, [TestJobs.Trace(), TestJobs.Trace()]), Cancellation);
        var failed = (ClaimResult.Claimed)await Database.Store.ClaimAsync(TestJobs.Claim(Guid.NewGuid()), Cancellation);
        await Database.Store.StoreAsync(TestJobs.Failed(failed.Lease), Cancellation); // has a prompt and no output
        Database.Time.Advance(TimeSpan.FromDays(100));
        var recent = await EndAsync();

        (await PruneAsync(PruneKind.Texts, TimeSpan.FromDays(50))).Count.ShouldBe(2);

        (await PruneAsync(PruneKind.Texts, TimeSpan.FromDays(50))).Count.ShouldBe(0);
        await using var context = Database.CreateContext();
        var row = await context.Jobs.SingleAsync(job => job.JobId == id, Cancellation);
        (row.Text, row.TokenIds, row.Request).ShouldBe((null, null, null));
        row.TextHash.ShouldBe(System.Security.Cryptography.SHA256.HashData("one"u8));
        (row.CompletionTokens, row.RequestHash?.Length).ShouldBe((9, 32));
        (await context.Choices.SingleAsync(Cancellation)).Text.ShouldBeNull();
        (await context.Traces.CountAsync(Cancellation)).ShouldBe(3);
        (await context.Jobs.SingleAsync(job => job.JobId == recent, Cancellation)).Text.ShouldNotBeNull();
        (await Database.Store.ClaimAsync(TestJobs.Claim(id), Cancellation)).ShouldBeOfType<ClaimResult.Ended>(); // still not run again
    }

    [Fact]
    public async Task Jobs_go_with_all_that_hangs_on_them_but_not_those_of_a_batch_that_is_not_complete()
    {
        var (done, open) = (Guid.NewGuid(), Guid.NewGuid());
        await EndAsync(done, batchJobCount: 1);
        var kept = await EndAsync(open, batchJobCount: 2);
        var alone = Guid.NewGuid();
        await Database.Store.ReleaseAsync(
            ((ClaimResult.Claimed)await Database.Store.ClaimAsync(TestJobs.Claim(alone), Cancellation)).Lease,
            Cancellation
        );
        await EndAsync(id: alone);
        await Database.Store.ClaimAsync(TestJobs.Claim(Guid.NewGuid()), Cancellation); // runs
        Database.Time.Advance(TimeSpan.FromDays(100));

        (await PruneAsync(PruneKind.Jobs, TimeSpan.FromDays(50))).Count.ShouldBe(2);

        await using var context = Database.CreateContext();
        (await context.Jobs.CountAsync(Cancellation)).ShouldBe(2);
        (await context.Jobs.SingleAsync(job => job.EndedAt != null, Cancellation)).JobId.ShouldBe(kept);
        (await context.Batches.SingleAsync(Cancellation)).BatchId.ShouldBe(open);
        (await context.EarlierAttempts.CountAsync(Cancellation)).ShouldBe(0);
        (await context.Traces.CountAsync(Cancellation)).ShouldBe(3); // they are another kind
    }

    [Fact]
    public async Task More_jobs_than_a_transaction_takes_go_all_but_for_those_that_stay()
    {
        var open = Guid.NewGuid();
        await EndAsync(open, batchJobCount: 2); // is the oldest, and stays
        await AddEndedAsync(2300, i => TimeSpan.FromSeconds(i / 900), _ => true); // jobs of a moment are in two transactions
        Database.Time.Advance(TimeSpan.FromDays(100));

        (await PruneAsync(PruneKind.Texts, TimeSpan.FromDays(50))).Count.ShouldBe(2301);
        await using var context = Database.CreateContext();
        (await context.Jobs.CountAsync(job => job.Text != null || job.Request != null, Cancellation)).ShouldBe(0);
        (await PruneAsync(PruneKind.Jobs, TimeSpan.FromDays(50))).Count.ShouldBe(2300);
        (await context.Jobs.SingleAsync(Cancellation)).BatchId.ShouldBe(open);
    }

    [Fact]
    public async Task Jobs_with_texts_are_found_by_an_index_that_has_none_of_those_whose_texts_went_before()
    {
        await AddEndedAsync(5000, i => TimeSpan.FromSeconds(i), i => i >= 4900);
        var before = Database.Time.GetUtcNow() + TimeSpan.FromDays(1);

        var plan = await Database.ExplainAsync(
            context => DatabaseUpkeep.WithTexts(context, before).OrderBy(job => job.EndedAt).Take(1000).Select(job => job.JobId),
            Cancellation
        );

        plan.ShouldContain("ix_generation_jobs_with_texts");
    }

    /// <summary>Adds jobs that ended some time after now.</summary>
    private async Task AddEndedAsync(int count, Func<int, TimeSpan> after, Func<int, bool> hasText)
    {
        var now = Database.Time.GetUtcNow();
        await using var context = Database.CreateContext();
        context.Jobs.AddRange(
            Enumerable
                .Range(0, count)
                .Select(i => new GenerationJob
                {
                    JobId = Guid.NewGuid(),
                    State = JobState.Completed,
                    CreatedAt = now,
                    EndedAt = now + after(i),
                    Text = hasText(i) ? "text" : null,
                })
        );
        await context.SaveChangesAsync(Cancellation);
    }

    private protected Task<Pruned> PruneAsync(PruneKind kind, TimeSpan age, bool isDryRun = false) =>
        Database.Upkeep.PruneAsync(kind, Database.Time.GetUtcNow() - age, isDryRun, Cancellation);

    private protected async Task<Guid> EndAsync(Guid? batch = null, int? batchJobCount = null, Guid? id = null)
    {
        var claim = TestJobs.Claim(id ?? Guid.NewGuid(), batchId: batch, batchJobCount: batchJobCount);
        var claimed = (await Database.Store.ClaimAsync(claim, Cancellation)).ShouldBeOfType<ClaimResult.Claimed>();
        await Database.Store.StoreAsync(TestJobs.Completed(claimed.Lease), Cancellation);
        return claim.JobId;
    }
}

public sealed class PostgresUpkeepTests(PostgresServer server) : UpkeepContract
{
    protected override async Task<PersistenceOptions> CreateOptionsAsync() =>
        new() { ConnectionString = await server.CreateDatabaseAsync() };

    [Fact]
    public async Task Partitions_are_made_for_this_month_and_two_more_once_by_any_number_at_a_time()
    {
        (await PartitionsAsync()).ShouldBe(["job_traces_2026_01", "job_traces_2026_02", "job_traces_2026_03", "job_traces_rest"]);
        Database.Time.Advance(TimeSpan.FromDays(31));

        var made = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Database.Upkeep.PrepareAsync(Cancellation))));

        made.Order().ShouldBe([0, 0, 0, 1]);
        (await PartitionsAsync()).ShouldContain("job_traces_2026_04");
    }

    [Fact]
    public async Task A_trace_whose_month_has_no_partition_is_stored_and_moves_there_when_it_gets_one()
    {
        Database.Time.Advance(TimeSpan.FromDays(200));
        await EndAsync();
        (await NumberAsync("SELECT count(*) FROM job_traces_rest")).ShouldBe(1);

        await Database.Upkeep.PrepareAsync(Cancellation);

        (await NumberAsync("SELECT count(*) FROM job_traces_rest")).ShouldBe(0);
        (await NumberAsync("SELECT count(*) FROM job_traces_2026_07")).ShouldBe(1);
        (await NumberAsync("SELECT count(*) FROM iteration_telemetry")).ShouldBe(3);
    }

    [Fact]
    public async Task A_month_is_dropped_whole_once_it_is_over_and_not_before()
    {
        await EndAsync(); // 2 January
        Database.Time.Advance(TimeSpan.FromDays(20));
        await EndAsync();

        Database.Time.Advance(TimeSpan.FromDays(30)); // 21 February: of January the first 22 days are older than 30 days
        (await PruneAsync(PruneKind.Traces, TimeSpan.FromDays(30))).Count.ShouldBe(0);
        var pruned = await PruneAsync(PruneKind.Traces, TimeSpan.FromDays(20));

        pruned.Count.ShouldBe(2);
        pruned.Details.ShouldBe(["job_traces_2026_01 with 2"]);
        (await PartitionsAsync()).ShouldNotContain("job_traces_2026_01");
        await EndAsync(); // goes on
        (await NumberAsync("SELECT count(*) FROM job_traces")).ShouldBe(1);
    }

    [Theory]
    [InlineData(true, 3001L, "about 3001")]
    [InlineData(false, 1000L, "more than 1000")]
    public async Task Traces_of_a_large_month_are_counted_only_if_nothing_is_removed(bool isAnalysed, long count, string words)
    {
        await EndAsync();
        await ExecuteAsync("ALTER TABLE job_traces_2026_01 SET (autovacuum_enabled = false)");
        await AddTracesAsync(1, 3000);
        if (isAnalysed)
        {
            await ExecuteAsync("ANALYZE job_traces_2026_01");
        }

        await AddTracesAsync(3001, 3100); // which the statistics don't know of
        Database.Time.Advance(TimeSpan.FromDays(60));

        var counted = await PruneAsync(PruneKind.Traces, TimeSpan.FromDays(20), isDryRun: true);
        var removed = await PruneAsync(PruneKind.Traces, TimeSpan.FromDays(20));

        counted.Count.ShouldBe(3101);
        counted.Details.ShouldBe(["job_traces_2026_01 with 3101"]);
        removed.Count.ShouldBe(count);
        removed.Details.ShouldBe([$"job_traces_2026_01 with {words}"]);
        (await PartitionsAsync()).ShouldNotContain("job_traces_2026_01");
    }

    [Theory]
    [InlineData(PruneKind.Traces, "job_traces_2026_01")]
    [InlineData(PruneKind.Texts, "generation_jobs")]
    [InlineData(PruneKind.Jobs, "generation_jobs")]
    public async Task What_there_is_to_remove_is_counted_though_it_takes_longer_than_a_statement_may(PruneKind kind, string table)
    {
        await EndAsync();
        var before = Database.Time.GetUtcNow() + TimeSpan.FromDays(50);
        await using var hurried = TestDatabase.WithoutSchema(
            new PersistenceOptions { ConnectionString = $"{Database.Options.ConnectionString};Command Timeout=2" }
        );
        await using var holder = new NpgsqlConnection(Database.Options.ConnectionString);
        await holder.OpenAsync(Cancellation);
        await using var transaction = await holder.BeginTransactionAsync(Cancellation);
        await using var locking = new NpgsqlCommand($"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE", holder, transaction);
        await locking.ExecuteNonQueryAsync(Cancellation);

        var counting = hurried.Upkeep.PruneAsync(kind, before, isDryRun: true, Cancellation);
        await Task.WhenAny(counting, Task.Delay(TimeSpan.FromSeconds(3), Cancellation));
        counting.IsCompleted.ShouldBeFalse();
        await transaction.RollbackAsync(Cancellation);

        (await counting).Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(";Command Timeout=30", 600, "20min")]
    [InlineData(";Command Timeout=900", null, "30min")]
    [InlineData(";Command Timeout=0", null, "0")]
    public async Task Counting_may_take_minutes_on_either_side_or_as_long_as_was_allowed_anyway(string setting, int? client, string server)
    {
        await using var database = TestDatabase.WithoutSchema(
            new PersistenceOptions { ConnectionString = $"{Database.Options.ConnectionString}{setting}" }
        );
        await using var context = database.CreateContext();
        await using var transaction = await context.Database.BeginTransactionAsync(Cancellation);

        await new PostgresDialect().AllowLongQueriesAsync(context, Cancellation);

        context.Database.GetCommandTimeout().ShouldBe(client);
        (
            await context.Database.SqlQuery<string>($"SELECT current_setting('statement_timeout') AS \"Value\"").SingleAsync(Cancellation)
        ).ShouldBe(server);
    }

    [Fact]
    public async Task A_query_with_a_time_looks_at_the_partitions_of_that_time_only()
    {
        await using var connection = new NpgsqlConnection(Database.Options.ConnectionString);
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(
            "EXPLAIN SELECT sum(kld) FROM token_telemetry WHERE stored_at >= '2026-02-03' AND stored_at < '2026-02-04'",
            connection
        );
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        var plan = new List<string>();
        while (await reader.ReadAsync(Cancellation))
        {
            plan.Add(reader.GetString(0));
        }

        string.Concat(plan).ShouldContain("job_traces_2026_02");
        string.Concat(plan).ShouldNotContain("job_traces_2026_01");
    }

    private async Task<List<string>> PartitionsAsync()
    {
        await using var context = Database.CreateContext();
        return await context
            .Database.SqlQuery<string>(
                $"SELECT inhrelid::regclass::text AS \"Value\" FROM pg_inherits WHERE inhparent = 'job_traces'::regclass ORDER BY 1"
            )
            .ToListAsync(Cancellation);
    }

    /// <summary>Adds more outputs of the one job that has a trace.</summary>
    private Task AddTracesAsync(int first, int last) =>
        ExecuteAsync(
            $"""
            INSERT INTO job_traces_2026_01
            SELECT added.* FROM job_traces_2026_01 known, generate_series({first}, {last}) AS number,
                LATERAL jsonb_populate_record(known, jsonb_build_object('choice', number)) AS added
            WHERE known.choice = 0
            """
        );

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(Database.Options.ConnectionString);
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    private async Task<long> NumberAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(Database.Options.ConnectionString);
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        return (long?)await command.ExecuteScalarAsync(Cancellation) ?? 0;
    }
}

public sealed class SqliteUpkeepTests : UpkeepContract
{
    private readonly ScratchFolder _folder = new("sqlite");

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        SqliteConnection.ClearAllPools(); // they keep files open
        _folder.Dispose();
    }

    protected override Task<PersistenceOptions> CreateOptionsAsync() =>
        Task.FromResult(
            new PersistenceOptions { Provider = PersistenceOptions.Sqlite, ConnectionString = $"Data Source={_folder.PathOf("dsde.db")}" }
        );
}
