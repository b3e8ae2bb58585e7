using System.Security.Cryptography;
using Dsde.Persistence.Storage;
using Npgsql;

namespace Dsde.Persistence.Workers;

/// <summary>
/// A worker's presence is an advisory lock on a connection of its own, which nothing else uses: the server ends the connection, and with
/// it the lock, when the process dies (at once, as its kernel says so) or its machine is gone (after some seconds without an answer to
/// TCP's keepalive). The row in <c>workers</c> names the lock's key.
/// </summary>
/// <remarks>
/// Whoever finds a lock missing waits for <see cref="Grace"/> before it takes the worker for dead: a worker whose connection broke
/// takes its lock again within that time. After a restart of the server nobody has a lock at first; then the leases decide.
/// Behind a pooler of transactions (PgBouncer) the lock is the pooler's connection's: a dead worker then seems to live until its
/// leases run out, as without a lock.
/// </remarks>
internal sealed class PostgresWorkerRegistry(Database database, PersistenceOptions options, TimeProvider time)
    : IWorkerRegistry,
        IAsyncDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan EarlierProcessPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(200);

    private const string TakeLock = "SELECT pg_try_advisory_lock($1)";

    private const string Beat = """
        INSERT INTO workers
            (worker_id, started_at, seen_at, host, version, models, batch_size, presence_key, held_jobs, waiting_for_claim)
        VALUES ($1, clock_timestamp(), clock_timestamp(), $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (worker_id) DO UPDATE SET seen_at = EXCLUDED.seen_at, presence_key = EXCLUDED.presence_key,
            held_jobs = EXCLUDED.held_jobs, waiting_for_claim = EXCLUDED.waiting_for_claim
        """;

    private const string LockHolders = """
        SELECT 1 FROM pg_locks held
        WHERE held.locktype = 'advisory' AND held.objsubid = 1 AND held.granted
          AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND ((held.classid::bigint << 32) | held.objid::bigint) = worker.presence_key
        """;

    private const string FindMissing = $"""
        SELECT worker.worker_id, worker.presence_key FROM workers worker
        WHERE worker.presence_key IS NOT NULL AND NOT EXISTS ({LockHolders})
          AND pg_postmaster_start_time() < clock_timestamp() - interval '15 seconds'
        """;

    private const string IsPresent = $"SELECT EXISTS (SELECT FROM workers worker WHERE worker.worker_id = $1 AND EXISTS ({LockHolders}))";

    private const string Bury = """
        WITH dead AS (
            DELETE FROM workers worker USING unnest($1, $2) AS missing (worker_id, presence_key)
            WHERE worker.worker_id = missing.worker_id AND worker.presence_key = missing.presence_key
            RETURNING worker.worker_id),
        freed AS (
            UPDATE generation_jobs job SET lease_until = clock_timestamp() FROM dead
            WHERE job.worker_id = dead.worker_id AND job.state = 'running' AND job.lease_until > clock_timestamp()
            RETURNING job.worker_id)
        SELECT dead.worker_id, count(freed.worker_id)::integer FROM dead LEFT JOIN freed USING (worker_id) GROUP BY dead.worker_id
        """;

    private const string TakeBack = """
        UPDATE generation_jobs SET lease_until = clock_timestamp()
        WHERE worker_id = $1 AND state = 'running' AND lease_until > clock_timestamp()
        """;

    private const string ForgetEarlier = "DELETE FROM workers WHERE worker_id = $1 OR seen_at < clock_timestamp() - interval '1 day'";

    private readonly SemaphoreSlim _turn = new(1);
    private readonly Dictionary<(string WorkerId, long Key), long> _missingSince = [];
    private WorkerDescription? _worker;
    private NpgsqlConnection? _presence;
    private long _key;

    /// <inheritdoc/>
    public Task<int?> EnterAsync(WorkerDescription worker, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(worker);
        _worker = worker;
        return InTurnAsync(
            async token =>
            {
                var connection = await OpenAsync(token);
                var isAlone = await WaitForEarlierAsync(connection, worker.WorkerId, token);
                await using var forget = Command(connection, ForgetEarlier);
                forget.Parameters.Add(new NpgsqlParameter<string> { TypedValue = worker.WorkerId });
                await forget.ExecuteNonQueryAsync(token);
                await BeatAsync(connection, worker, heldJobs: 0, waitingForClaim: 0, token);
                if (!isAlone)
                {
                    return (int?)null;
                }

                await using var takeBack = Command(connection, TakeBack);
                takeBack.Parameters.Add(new NpgsqlParameter<string> { TypedValue = worker.WorkerId });
                return await takeBack.ExecuteNonQueryAsync(token);
            },
            cancellationToken
        );
    }

    /// <inheritdoc/>
    public Task BeatAsync(int heldJobs, int waitingForClaim, CancellationToken cancellationToken) =>
        InTurnAsync(
            async token =>
            {
                var worker = _worker ?? throw new InvalidOperationException("The worker has not entered.");
                await BeatAsync(await OpenAsync(token), worker, heldJobs, waitingForClaim, token);
                return true;
            },
            cancellationToken
        );

    /// <inheritdoc/>
    public Task<IReadOnlyList<DeadWorker>> BuryDeadAsync(CancellationToken cancellationToken) =>
        InTurnAsync(
            async token =>
            {
                var connection = await OpenAsync(token);
                var dead = NoteMissing(await FindMissingAsync(connection, token));
                return dead.Count == 0 ? [] : await BuryAsync(connection, dead, token);
            },
            cancellationToken
        );

    /// <inheritdoc/>
    public Task LeaveAsync(CancellationToken cancellationToken) =>
        InTurnAsync(
            async token =>
            {
                if (_worker is { } worker && await OpenAsync(token) is var connection)
                {
                    await using var leave = Command(connection, "DELETE FROM workers WHERE worker_id = $1 AND presence_key = $2");
                    leave.Parameters.Add(new NpgsqlParameter<string> { TypedValue = worker.WorkerId });
                    leave.Parameters.Add(new NpgsqlParameter<long> { TypedValue = _key });
                    await leave.ExecuteNonQueryAsync(token);
                    await CloseAsync();
                }

                return true;
            },
            cancellationToken
        );

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        _turn.Dispose();
    }

    /// <summary>Whether no other living process goes by the id; one that is just dying gets a moment.</summary>
    private async Task<bool> WaitForEarlierAsync(NpgsqlConnection connection, string workerId, CancellationToken cancellationToken)
    {
        for (var started = time.GetTimestamp(); ; await Task.Delay(LookAgain, time, cancellationToken))
        {
            await using var look = Command(connection, IsPresent);
            look.Parameters.Add(new NpgsqlParameter<string> { TypedValue = workerId });
            if (await look.ExecuteScalarAsync(cancellationToken) is not true)
            {
                return true;
            }

            if (time.GetElapsedTime(started) > EarlierProcessPatience)
            {
                return false;
            }
        }
    }

    private static async Task<List<(string WorkerId, long Key)>> FindMissingAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        await using var find = Command(connection, FindMissing);
        await using var reader = await find.ExecuteReaderAsync(cancellationToken);
        var missing = new List<(string, long)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            missing.Add((reader.GetString(0), reader.GetInt64(1)));
        }

        return missing;
    }

    /// <summary>Those that have been missing for long enough.</summary>
    private List<(string WorkerId, long Key)> NoteMissing(List<(string WorkerId, long Key)> missing)
    {
        var now = time.GetTimestamp();
        foreach (var returned in _missingSince.Keys.Except(missing).ToList())
        {
            _missingSince.Remove(returned);
        }

        foreach (var worker in missing)
        {
            _missingSince.TryAdd(worker, now);
        }

        return [.. missing.Where(worker => time.GetElapsedTime(_missingSince[worker], now) >= Grace)];
    }

    private static async Task<IReadOnlyList<DeadWorker>> BuryAsync(
        NpgsqlConnection connection,
        List<(string WorkerId, long Key)> dead,
        CancellationToken cancellationToken
    )
    {
        await using var bury = Command(connection, Bury);
        bury.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. dead.Select(worker => worker.WorkerId)] });
        bury.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. dead.Select(worker => worker.Key)] });
        await using var reader = await bury.ExecuteReaderAsync(cancellationToken);
        var buried = new List<DeadWorker>();
        while (await reader.ReadAsync(cancellationToken))
        {
            buried.Add(new DeadWorker(reader.GetString(0), reader.GetInt32(1)));
        }

        return buried;
    }

    /// <summary>The connection with the lock; opened anew, under a new key, if it was lost.</summary>
    private async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        if (_presence is { FullState: System.Data.ConnectionState.Open } alive)
        {
            return alive;
        }

        await CloseAsync();
        var builder = new NpgsqlConnectionStringBuilder(HangingClients.Bound(options.ConnectionString))
        {
            Pooling = false,
            KeepAlive = 5,
            ApplicationName = "dsde presence",
        };
        builder.Options += " -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3";
        var connection = new NpgsqlConnection(builder.ConnectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            _key = BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long))) & long.MaxValue;
            await using var take = Command(connection, TakeLock);
            take.Parameters.Add(new NpgsqlParameter<long> { TypedValue = _key });
            await take.ExecuteScalarAsync(cancellationToken);
            return _presence = connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private async Task CloseAsync()
    {
        if (Interlocked.Exchange(ref _presence, null) is { } connection)
        {
            await connection.DisposeAsync();
        }
    }

    /// <summary>One statement at a time; a connection that failed is not used again.</summary>
    private async Task<T> InTurnAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            return await database.TranslateAsync(work, cancellationToken);
        }
        catch (Exception exception) when (exception is not InvalidOperationException)
        {
            await CloseAsync();
            throw;
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task BeatAsync(
        NpgsqlConnection connection,
        WorkerDescription worker,
        int heldJobs,
        int waitingForClaim,
        CancellationToken cancellationToken
    )
    {
        await using var beat = Command(connection, Beat);
        beat.Parameters.Add(new NpgsqlParameter<string> { TypedValue = worker.WorkerId });
        beat.Parameters.Add(new NpgsqlParameter<string> { TypedValue = worker.Host });
        beat.Parameters.Add(new NpgsqlParameter<string> { TypedValue = worker.Version });
        beat.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. worker.Models] });
        beat.Parameters.Add(new NpgsqlParameter<int> { TypedValue = worker.BatchSize });
        beat.Parameters.Add(new NpgsqlParameter<long> { TypedValue = _key });
        beat.Parameters.Add(new NpgsqlParameter<int> { TypedValue = heldJobs });
        beat.Parameters.Add(new NpgsqlParameter<int> { TypedValue = waitingForClaim });
        await beat.ExecuteNonQueryAsync(cancellationToken);
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string text) => new(text, connection);
}
