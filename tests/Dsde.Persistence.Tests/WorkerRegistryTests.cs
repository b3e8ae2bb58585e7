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
        await Other.Workers.EnterAsync(Describe("doomed"), Cancellation);
        var job = Guid.NewGuid();
        await ClaimAsync(Other, job, "doomed");
        (await Living.Store.ClaimAsync(TestJobs.Claim(job, worker: "living"), Cancellation)).ShouldBeOfType<ClaimResult.Held>();

        await CutPresenceAsync("doomed");
        var dead = await BuryAsync(Living);

        dead.ShouldBe(new DeadWorker("doomed", 1));
        (await Living.Store.ClaimAsync(TestJobs.Claim(job, worker: "living"), Cancellation)).ShouldBeOfType<ClaimResult.Claimed>();
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
        await Other.Workers.EnterAsync(Describe("same"), Cancellation);
        var job = Guid.NewGuid();
        await ClaimAsync(Other, job, "same");
        await CutPresenceAsync("same");

        (await Living.Workers.EnterAsync(Describe("same"), Cancellation)).ShouldBe(1);

        (await Living.Store.ClaimAsync(TestJobs.Claim(job, worker: "same"), Cancellation)).ShouldBeOfType<ClaimResult.Claimed>();
    }

    [Fact]
    public async Task A_second_living_worker_of_the_same_identity_takes_nothing_from_the_first()
    {
        await Other.Workers.EnterAsync(Describe("same"), Cancellation);
        var job = Guid.NewGuid();
        await ClaimAsync(Other, job, "same");

        var entering = Living.Workers.EnterAsync(Describe("same"), Cancellation);
        while (!entering.IsCompleted)
        {
            Living.Time.Advance(StepOfTime);
            await Task.WhenAny(entering, Task.Delay(1, Cancellation));
        }

        (await entering).ShouldBeNull();
        (await Living.Store.ClaimAsync(TestJobs.Claim(job, worker: "third"), Cancellation)).ShouldBeOfType<ClaimResult.Held>();
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
    }

    private static WorkerDescription Describe(string id) => new(id, "host", "1.0", ["a", "b"], 8);

    private static async Task ClaimAsync(TestDatabase database, Guid job, string worker) =>
        (await database.Store.ClaimAsync(TestJobs.Claim(job, worker: worker), Cancellation)).ShouldBeOfType<ClaimResult.Claimed>();

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

    /// <summary>What the kernel does for a process that is killed.</summary>
    private async Task CutPresenceAsync(string worker)
    {
        await using var connection = new NpgsqlConnection(_connectionString);
        await connection.OpenAsync(Cancellation);
        await using var cut = new NpgsqlCommand(
            """
            SELECT pg_terminate_backend(held.pid, 5000) FROM pg_locks held JOIN workers worker
              ON held.locktype = 'advisory' AND ((held.classid::bigint << 32) | held.objid::bigint) = worker.presence_key
            WHERE worker.worker_id = $1
            """,
            connection
        );
        cut.Parameters.Add(new NpgsqlParameter<string> { TypedValue = worker });
        (await cut.ExecuteScalarAsync(Cancellation)).ShouldBe(true);
    }
}
