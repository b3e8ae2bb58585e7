using Dsde.Persistence.Jobs;
using Dsde.Persistence.Workers;
using Dsde.Testing;
using Npgsql;

namespace Dsde.Persistence.Tests;

/// <summary>Who is there, and what becomes of the claims of those that died, on a real PostgreSQL.</summary>
public sealed class WorkerRegistryTests(PostgresServer server) : IAsyncLifetime
{
    private static readonly TimeSpan StepOfTime = TimeSpan.FromMilliseconds(500);

    private string _connectionString = "";
    private TestDatabase? _living;
    private TestDatabase? _other;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private TestDatabase Living => _living ?? throw new InvalidOperationException();

    private TestDatabase Other => _other ?? throw new InvalidOperationException();

    public async ValueTask InitializeAsync()
    {
        _connectionString = await server.CreateDatabaseAsync();
        _living = await TestDatabase.CreateAsync(new PersistenceOptions { ConnectionString = _connectionString });
        _other = await TestDatabase.CreateAsync(new PersistenceOptions { ConnectionString = _connectionString });
    }

    public async ValueTask DisposeAsync()
    {
        await Living.DisposeAsync();
        await Other.DisposeAsync();
    }

    [Fact]
    public async Task Claims_of_a_worker_whose_process_is_gone_are_free_long_before_their_leases_run_out()
    {
        await Living.Workers.EnterAsync(Describe("living"), Cancellation);
        var doomed = Describe("doomed");
        await Other.Workers.EnterAsync(doomed, Cancellation);
        var job = Guid.NewGuid();
        await ClaimAsync(Other, job, doomed);
        (await Living.Store.ClaimAsync(TestJobs.Claim(job, worker: "living"), Cancellation)).ShouldBeOfType<ClaimResult.Held>();

        await CutPresenceAsync("doomed");
        var dead = await BuryAsync(Living);

        dead.ShouldBe(new DeadWorker("doomed", 1));
        (await Living.Store.ClaimAsync(TestJobs.Claim(job, worker: "living"), Cancellation)).ShouldBeOfType<ClaimResult.Claimed>();
    }

    [Fact]
    public async Task Among_many_workers_each_looks_rarely_and_a_death_is_seen_all_the_same()
    {
        await Living.Workers.EnterAsync(Describe("living"), Cancellation);
        await Other.Workers.EnterAsync(Describe("doomed"), Cancellation);
        await BuryOneAsync("first"); // so that the server is old enough for deaths to be seen
        await QueryAsync(
            """
            INSERT INTO workers (worker_start_id, worker_id, started_at, seen_at, host, version, models, target_model, policy, device,
                data_type, threads, kernels, batch_size, held_jobs, waiting_for_claim)
            SELECT gen_random_uuid(), 'many-' || i, now(), now(), 'host', '', '{}', '', '', '', '', 1, '', 1, 0, 0
            FROM generate_series(1, 4000) AS i
            RETURNING 'made'
            """
        );
        (await Living.Workers.BuryDeadAsync(Cancellation)).ShouldBeEmpty(); // sees how many there are

        await CutPresenceAsync("doomed");
        for (var seconds = 0; seconds < 20; seconds++)
        {
            Living.Time.Advance(TimeSpan.FromSeconds(1));
            (await Living.Workers.BuryDeadAsync(Cancellation)).ShouldBeEmpty("it is the others' turn for at least 50 s");
        }

        (await BuryAsync(Living)).WorkerId.ShouldBe("doomed");
    }

    [Fact]
    public async Task A_worker_that_gets_its_connection_back_in_time_is_not_taken_for_dead()
    {
        await Living.Workers.EnterAsync(Describe("living"), Cancellation);
        await Other.Workers.EnterAsync(Describe("unlucky"), Cancellation);
        await CutPresenceAsync("unlucky");
        await Living.Workers.BuryDeadAsync(Cancellation); // notes that it is missing

        await Should.ThrowAsync<DatabaseUnavailableException>(Other.Workers.BeatAsync(0, 0, Cancellation));
        await Other.Workers.BeatAsync(heldJobs: 3, waitingForClaim: 2, Cancellation);
        Living.Time.Advance(TimeSpan.FromSeconds(30));

        (await Living.Workers.BuryDeadAsync(Cancellation)).ShouldBeEmpty();
        await using var connection = new NpgsqlConnection(_connectionString);
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(
            "SELECT held_jobs || ' ' || waiting_for_claim FROM workers WHERE worker_id = 'unlucky'",
            connection
        );
        (await command.ExecuteScalarAsync(Cancellation)).ShouldBe("3 2");
    }

    [Fact]
    public async Task A_restarted_worker_takes_back_what_its_identity_held()
    {
        var earlier = Describe("same");
        await Other.Workers.EnterAsync(earlier, Cancellation);
        var job = Guid.NewGuid();
        await ClaimAsync(Other, job, earlier);
        await CutPresenceAsync("same");

        (await Living.Workers.EnterAsync(Describe("same"), Cancellation)).ShouldBe(1);

        (await Living.Store.ClaimAsync(TestJobs.Claim(job, worker: "same"), Cancellation)).ShouldBeOfType<ClaimResult.Claimed>();
    }

    [Fact]
    public async Task A_second_living_worker_of_the_same_identity_takes_nothing_from_the_first()
    {
        var first = Describe("same");
        await Other.Workers.EnterAsync(first, Cancellation);
        var job = Guid.NewGuid();
        await ClaimAsync(Other, job, first);

        (await EnterBesideAsync(Living, Describe("same"))).ShouldBeNull();
        (await Living.Store.ClaimAsync(TestJobs.Claim(job, worker: "third"), Cancellation)).ShouldBeOfType<ClaimResult.Held>();
    }

    [Fact]
    public async Task The_death_of_an_earlier_start_of_a_worker_frees_its_claims_and_none_of_its_replacement()
    {
        var (earlier, replacement) = (Describe("same"), Describe("same"));
        var (lost, kept) = (Guid.NewGuid(), Guid.NewGuid());
        await Other.Workers.EnterAsync(earlier, Cancellation);
        await ClaimAsync(Other, lost, earlier);
        await EnterBesideAsync(Living, replacement);
        await ClaimAsync(Living, kept, replacement);

        await CutPresenceAsync($"{earlier.StartId}");

        (await BuryAsync(Living)).ShouldBe(new DeadWorker("same", 1));
        (await Living.Store.ClaimAsync(TestJobs.Claim(lost, worker: "third"), Cancellation)).ShouldBeOfType<ClaimResult.Claimed>();
        (await Living.Store.ClaimAsync(TestJobs.Claim(kept, worker: "third"), Cancellation)).ShouldBeOfType<ClaimResult.Held>();
    }

    [Fact]
    public async Task A_worker_that_leaves_is_not_listed_and_not_mourned()
    {
        await Living.Workers.EnterAsync(Describe("living"), Cancellation);
        await Other.Workers.EnterAsync(Describe("leaver"), Cancellation);

        await Other.Workers.LeaveAsync(Cancellation);

        await Living.Workers.BuryDeadAsync(Cancellation);
        Living.Time.Advance(TimeSpan.FromMinutes(1));
        (await Living.Workers.BuryDeadAsync(Cancellation)).ShouldBeEmpty();
        (await QueryAsync("SELECT ending FROM workers WHERE worker_id = 'leaver' AND ended_at IS NOT NULL")).ShouldBe("left");
    }

    [Fact]
    public async Task A_worker_whose_last_word_was_broken_off_leaves_as_any_other()
    {
        await Other.Workers.EnterAsync(Describe("leaver"), Cancellation);
        await using (var holder = new NpgsqlConnection(_connectionString))
        {
            await holder.OpenAsync(Cancellation);
            await using var transaction = await holder.BeginTransactionAsync(Cancellation);
            await using var locking = new NpgsqlCommand("SELECT FROM workers FOR UPDATE", holder, transaction);
            await locking.ExecuteNonQueryAsync(Cancellation);
            using var stop = new CancellationTokenSource();
            var beating = Other.Workers.BeatAsync(0, 0, stop.Token);
            while (
                await QueryAsync(
                    "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"
                )
                    is not true
            )
            {
                await Task.Delay(10, Cancellation);
            }

            await stop.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(beating);
        }

        await Other.Workers.LeaveAsync(Cancellation);

        (await QueryAsync("SELECT ending FROM workers WHERE worker_id = 'leaver' AND ended_at IS NOT NULL")).ShouldBe("left");
    }

    [Fact]
    public async Task Whoever_looks_for_missing_workers_does_not_look_through_all_that_have_ended()
    {
        await QueryAsync(
            """
            INSERT INTO workers (worker_start_id, worker_id, started_at, seen_at, ended_at, ending, host, version, models, target_model,
                policy, device, data_type, threads, kernels, batch_size, held_jobs, waiting_for_claim)
            SELECT gen_random_uuid(), 'gone-' || i, now(), now(), now(), 'left', 'host', '', '{}', '', '', '', '', 1, '', 1, 0, 0
            FROM generate_series(1, 4000) AS i
            """
        );
        await QueryAsync("ANALYZE workers");

        foreach (var statement in PostgresWorkerRegistry.FindMissing.Split(';'))
        {
            (await QueryAsync($"EXPLAIN (FORMAT JSON) {statement}")).ShouldBeOfType<string>().ShouldContain("ix_workers_worker_start_id");
        }
    }

    [Fact]
    public async Task Every_start_of_a_worker_is_kept_with_what_it_ran_and_how_it_ended()
    {
        await Other.Workers.EnterAsync(Describe("same"), Cancellation);
        await CutPresenceAsync("same");
        await Living.Workers.EnterAsync(Describe("same"), Cancellation);

        (
            await QueryAsync(
                """
                SELECT string_agg(concat_ws(' ', ending, host, target_model, draft_model, policy, device, data_type, threads,
                    cost_profile -> 'target' -> 0 ->> 'ms', ended_at IS NULL), '; ' ORDER BY started_at)
                FROM workers WHERE worker_id = 'same'
                """
            )
        ).ShouldBe("lost host target draft dsde cpu bf16 2 2.5 f; host target draft dsde cpu bf16 2 2.5 t");
        (await Living.Store.FindWorkersAsync(TimeSpan.FromMinutes(1), Cancellation)).ShouldHaveSingleItem().WorkerId.ShouldBe("same");
    }

    [Fact]
    public async Task A_worker_that_was_taken_for_dead_and_is_not_is_there_again_with_its_next_word()
    {
        await Living.Workers.EnterAsync(Describe("living"), Cancellation);
        await Other.Workers.EnterAsync(Describe("unlucky"), Cancellation);
        await CutPresenceAsync("unlucky");
        (await BuryAsync(Living)).WorkerId.ShouldBe("unlucky");
        (await QueryAsync("SELECT ending FROM workers WHERE worker_id = 'unlucky'")).ShouldBe("lost");

        if (!await TryBeatAsync(Other)) // its first word may still go into the connection that was cut
        {
            (await TryBeatAsync(Other)).ShouldBeTrue();
        }

        (await QueryAsync("SELECT count(*) FROM workers WHERE worker_id = 'unlucky' AND ended_at IS NULL")).ShouldBe(1L);
    }

    private static async Task<bool> TryBeatAsync(TestDatabase database)
    {
        try
        {
            await database.Workers.BeatAsync(0, 0, Cancellation);
            return true;
        }
        catch (DatabaseUnavailableException)
        {
            return false;
        }
    }

    private async Task<object?> QueryAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(_connectionString);
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(Cancellation);
    }

    private static WorkerDescription Describe(string id) =>
        new()
        {
            StartId = Guid.NewGuid(),
            WorkerId = id,
            Host = "host",
            Version = "1.0",
            Models = ["a", "b"],
            TargetModel = "target",
            DraftModel = "draft",
            Policy = "dsde",
            Device = "cpu",
            DataType = "bf16",
            Threads = 2,
            Kernels = "avx2",
            BatchSize = 8,
            CostProfile = """{"target": [{"rows": 1, "ms": 2.5}]}""",
        };

    private static async Task ClaimAsync(TestDatabase database, Guid job, WorkerDescription worker)
    {
        var claim = TestJobs.Claim(job, worker: worker.WorkerId) with { WorkerStartId = worker.StartId };
        (await database.Store.ClaimAsync(claim, Cancellation)).ShouldBeOfType<ClaimResult.Claimed>();
    }

    /// <summary>Enters while another living worker goes by the same id.</summary>
    private static async Task<int?> EnterBesideAsync(TestDatabase database, WorkerDescription worker)
    {
        var entering = database.Workers.EnterAsync(worker, Cancellation);
        while (!entering.IsCompleted)
        {
            database.Time.Advance(StepOfTime);
            await Task.WhenAny(entering, Task.Delay(1, Cancellation));
        }

        return await entering;
    }

    /// <summary>As long as the server itself has just started, nobody is taken for dead.</summary>
    private static async Task<DeadWorker> BuryAsync(TestDatabase database)
    {
        while (true)
        {
            if (await database.Workers.BuryDeadAsync(Cancellation) is [var dead])
            {
                return dead;
            }

            database.Time.Advance(StepOfTime);
            await Task.Delay(20, Cancellation);
        }
    }

    /// <summary>Has another worker come and die, until that is seen.</summary>
    private async Task BuryOneAsync(string worker)
    {
        await using var database = await TestDatabase.CreateAsync(new PersistenceOptions { ConnectionString = _connectionString });
        await database.Workers.EnterAsync(Describe(worker), Cancellation);
        await CutPresenceAsync(worker);
        (await BuryAsync(Living)).WorkerId.ShouldBe(worker);
    }

    /// <summary>What the kernel does for a process that is killed.</summary>
    /// <param name="worker">Id of the worker, or of one of its starts.</param>
    private async Task CutPresenceAsync(string worker)
    {
        await using var connection = new NpgsqlConnection(_connectionString);
        await connection.OpenAsync(Cancellation);
        await using var cut = new NpgsqlCommand(
            """
            SELECT pg_terminate_backend(held.pid, 5000) FROM pg_locks held JOIN workers worker
              ON held.locktype = 'advisory' AND ((held.classid::bigint << 32) | held.objid::bigint) = worker.presence_key
            WHERE $1 IN (worker.worker_id, worker.worker_start_id::text)
            """,
            connection
        );
        cut.Parameters.Add(new NpgsqlParameter<string> { TypedValue = worker });
        (await cut.ExecuteScalarAsync(Cancellation)).ShouldBe(true);
    }
}
