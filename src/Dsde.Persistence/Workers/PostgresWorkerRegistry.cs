using System.Security.Cryptography;
using Dsde.Persistence.Storage;
using Dsde.Persistence.Storage.Postgres;
using Npgsql;
using NpgsqlTypes;

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

    /// <summary>
    /// Looks per second that all workers make together, once there are more of them: a look costs the server as much as there are workers,
    /// so that a look of each in every second would cost their square, and one who sees a death is enough.
    /// </summary>
    private const int LooksPerSecond = 40;

    private const string TakeLock = "SELECT pg_try_advisory_lock($1)";

    private const string Beat = """
        INSERT INTO workers
            (worker_start_id, worker_id, started_at, seen_at, host, version, models, target_model, draft_model, policy, device, data_type,
            threads, kernels, batch_size, cost_profile, presence_key, held_jobs, waiting_for_claim)
        VALUES ($1, $2, clock_timestamp(), clock_timestamp(), $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14::jsonb, $15, $16, $17)
        ON CONFLICT (worker_start_id) DO UPDATE SET seen_at = EXCLUDED.seen_at, presence_key = EXCLUDED.presence_key,
            held_jobs = EXCLUDED.held_jobs, waiting_for_claim = EXCLUDED.waiting_for_claim, ended_at = NULL, ending = NULL
        """;

    private const string LockHolders = """
        SELECT 1 FROM pg_locks held
        WHERE held.locktype = 'advisory' AND held.objsubid = 1 AND held.granted
          AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND ((held.classid::bigint << 32) | held.objid::bigint) = worker.presence_key
        """;

    /// <summary>Looks through those that have not ended: by an index, as there is a row of every start there ever was.</summary>
    internal const string FindMissing = $"""
        SELECT count(*)::integer FROM workers WHERE ended_at IS NULL;
        SELECT worker.worker_start_id, worker.presence_key FROM workers worker
        WHERE worker.ended_at IS NULL AND worker.presence_key IS NOT NULL AND NOT EXISTS ({LockHolders})
          AND pg_postmaster_start_time() < clock_timestamp() - interval '15 seconds'
        """;

    private const string IsPresent =
        $"SELECT EXISTS (SELECT FROM workers worker WHERE worker.worker_id = $1 AND worker.ended_at IS NULL AND EXISTS ({LockHolders}))";

    // A worker with a configured id has many starts, and the one that replaced the dead one goes on with what it has claimed itself.
    private const string Bury = """
        WITH dead AS (
            UPDATE workers worker SET ended_at = clock_timestamp(), ending = 'lost', presence_key = NULL
            FROM unnest($1, $2) AS missing (worker_start_id, presence_key)
            WHERE worker.worker_start_id = missing.worker_start_id AND worker.presence_key = missing.presence_key
            RETURNING worker.worker_id, worker.worker_start_id),
        freed AS (
            UPDATE generation_jobs job SET lease_until = clock_timestamp() FROM dead
            WHERE job.worker_id = dead.worker_id AND job.worker_start_id = dead.worker_start_id
              AND job.state = 'running' AND job.lease_until > clock_timestamp()
            RETURNING job.worker_start_id)
        SELECT dead.worker_id, count(freed.worker_start_id)::integer
        FROM dead LEFT JOIN freed ON freed.worker_start_id = dead.worker_start_id
        GROUP BY dead.worker_start_id, dead.worker_id
        """;

    private const string TakeBack = """
        UPDATE generation_jobs SET lease_until = clock_timestamp()
        WHERE worker_id = $1 AND state = 'running' AND lease_until > clock_timestamp()
        """;

    // Who has not been seen for a day has died where no lock tells; an earlier process of this worker's name is gone, as was just seen.
    private const string EndEarlier = """
        UPDATE workers SET ended_at = seen_at, ending = 'lost', presence_key = NULL
        WHERE ended_at IS NULL AND worker_start_id <> $2
          AND (worker_id = $1 AND $3 OR seen_at < clock_timestamp() - interval '1 day')
        """;

    // Whatever its key is: the connection is a new one, under a key that no row has, if the stop broke off the worker's last statement.
    private const string Leave = """
        UPDATE workers SET ended_at = clock_timestamp(), ending = 'left', presence_key = NULL, held_jobs = 0, waiting_for_claim = 0
        WHERE worker_start_id = $1 AND ended_at IS NULL
        """;

    private readonly SemaphoreSlim _turn = new(1);
    private readonly Dictionary<(Guid StartId, long Key), long> _missingSince = [];
    private WorkerDescription? _worker;
    private NpgsqlConnection? _presence;
    private long _key;
    private long _lastLook;
    private TimeSpan _pause;

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
                await using var end = Command(connection, EndEarlier);
                end.Parameters.Add(new NpgsqlParameter<string> { TypedValue = worker.WorkerId });
                end.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = worker.StartId });
                end.Parameters.Add(new NpgsqlParameter<bool> { TypedValue = isAlone });
                await end.ExecuteNonQueryAsync(token);
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
                if (_missingSince.Count == 0 && _pause > TimeSpan.Zero && time.GetElapsedTime(_lastLook) < _pause)
                {
                    return []; // it is the others' turn
                }

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
                    await using var leave = Command(connection, Leave);
                    leave.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = worker.StartId });
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

    private async Task<List<(Guid StartId, long Key)>> FindMissingAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var find = Command(connection, FindMissing);
        await using var reader = await find.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        (_lastLook, _pause) = (time.GetTimestamp(), PauseAmong(reader.GetInt32(0)));
        await reader.NextResultAsync(cancellationToken);
        var missing = new List<(Guid, long)>();
        while (await reader.ReadAsync(cancellationToken))
        {
            missing.Add((reader.GetGuid(0), reader.GetInt64(1)));
        }

        return missing;
    }

    /// <summary>Until the next look, other for each worker by its random key; none among few, who look whenever they are asked
    /// to.</summary>
    private TimeSpan PauseAmong(int living) =>
        living <= LooksPerSecond ? TimeSpan.Zero : TimeSpan.FromSeconds((double)living / LooksPerSecond * (0.5 + ((_key & 0xFF) / 256.0)));

    /// <summary>Those that have been missing for long enough.</summary>
    private List<(Guid StartId, long Key)> NoteMissing(List<(Guid StartId, long Key)> missing)
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
        List<(Guid StartId, long Key)> dead,
        CancellationToken cancellationToken
    )
    {
        await using var bury = Command(connection, Bury);
        bury.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. dead.Select(worker => worker.StartId)] });
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
        beat.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = worker.StartId });
        beat.Parameters.Add(new NpgsqlParameter<string> { TypedValue = worker.WorkerId });
        beat.Parameters.Add(new NpgsqlParameter<string> { TypedValue = worker.Host });
        beat.Parameters.Add(new NpgsqlParameter<string> { TypedValue = worker.Version });
        beat.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. worker.Models] });
        beat.Parameters.Add(new NpgsqlParameter<string> { TypedValue = worker.TargetModel });
        PostgresParameters.Add(beat.Parameters, worker.DraftModel, NpgsqlDbType.Text);
        beat.Parameters.Add(new NpgsqlParameter<string> { TypedValue = worker.Policy });
        beat.Parameters.Add(new NpgsqlParameter<string> { TypedValue = worker.Device });
        beat.Parameters.Add(new NpgsqlParameter<string> { TypedValue = worker.DataType });
        beat.Parameters.Add(new NpgsqlParameter<int> { TypedValue = worker.Threads });
        PostgresParameters.Add(beat.Parameters, worker.Kernels, NpgsqlDbType.Text);
        beat.Parameters.Add(new NpgsqlParameter<int> { TypedValue = worker.BatchSize });
        PostgresParameters.Add(beat.Parameters, worker.CostProfile, NpgsqlDbType.Text);
        beat.Parameters.Add(new NpgsqlParameter<long> { TypedValue = _key });
        beat.Parameters.Add(new NpgsqlParameter<int> { TypedValue = heldJobs });
        beat.Parameters.Add(new NpgsqlParameter<int> { TypedValue = waitingForClaim });
        await beat.ExecuteNonQueryAsync(cancellationToken);
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string text) => new(text, connection);
}
