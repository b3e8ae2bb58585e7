using System.Data.Common;
using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Polly;
using Polly.Retry;

namespace Dsde.Persistence.Storage;

/// <summary>Runs work on the database: again after a short disturbance, and with a message for people when it stays away.</summary>
internal sealed class Database(IContextFactory contexts, IDialect dialect, PersistenceOptions options)
{
    private const string ConnectionStringKey = $"{PersistenceOptions.SectionName}:{nameof(PersistenceOptions.ConnectionString)}";
    private const int SqliteBusy = 5;
    private const int SqliteLocked = 6;
    private const string IdleInTransaction = "25P03"; // idle_in_transaction_session_timeout

    private readonly ResiliencePipeline _retries = new ResiliencePipelineBuilder()
        .AddRetry(
            new RetryStrategyOptions
            {
                ShouldHandle = new PredicateBuilder().Handle<Exception>(exception =>
                    exception is not SlowTransactionException && IsTransient(exception)
                ),
                MaxRetryAttempts = 4,
                BackoffType = DelayBackoffType.Exponential,
                Delay = TimeSpan.FromMilliseconds(100),
                UseJitter = true,
            }
        )
        .Build();

    /// <summary>Runs something on a context of its own. It may run several times, and starts afresh each time.</summary>
    /// <exception cref="DatabaseUnavailableException">The database stays away.</exception>
    public Task<T> RunAsync<T>(Func<DsdeDbContext, CancellationToken, Task<T>> work, CancellationToken cancellationToken) =>
        RunAsync(contexts.Create, work, cancellationToken);

    /// <summary>The same, on a context of the caller's making.</summary>
    /// <exception cref="DatabaseUnavailableException">The database stays away.</exception>
    public Task<T> RunAsync<T>(
        Func<DsdeDbContext> create,
        Func<DsdeDbContext, CancellationToken, Task<T>> work,
        CancellationToken cancellationToken
    ) =>
        TranslateAsync(
            async token =>
                await _retries.ExecuteAsync(
                    async attempt =>
                    {
                        await using var context = create();
                        return await work(context, attempt);
                    },
                    token
                ),
            cancellationToken
        );

    /// <summary>Runs something once, and says in words for people when the database does not do it.</summary>
    /// <exception cref="DatabaseUnavailableException">The database is away.</exception>
    public async Task<T> TranslateAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            return await work(cancellationToken);
        }
        catch (PostgresException exception) when (IsRefusal(exception))
        {
            throw new DatabaseUnavailableException(
                $"The database {Describe()} refuses user {new NpgsqlConnectionStringBuilder(options.ConnectionString).Username}: "
                    + $"{exception.MessageText}. Check {ConnectionStringKey}.",
                exception
            )
            {
                IsRefusal = true,
            };
        }
        catch (SlowTransactionException exception)
        {
            throw new DatabaseUnavailableException(
                $"The database {Describe()} did not do its work in time: {Innermost(exception).Message}",
                exception
            )
            {
                IsSlow = true,
            };
        }
        catch (Exception exception) when (IsTransient(exception) && !IsUnreachable(exception))
        {
            throw new DatabaseUnavailableException(
                $"The database {Describe()} does not do its work at the moment: {Innermost(exception).Message}",
                exception
            );
        }
        catch (Exception exception) when (IsUnreachable(exception))
        {
            throw new DatabaseUnavailableException(
                $"The database {Describe()} can't be reached: {Innermost(exception).Message.TrimEnd('.')}. "
                    + $"Check that it runs and {ConnectionStringKey}.",
                exception
            )
            {
                IsRefusal = Chain(exception).Any(error => error is AuthenticationException),
            };
        }
    }

    /// <summary>The same, in a transaction.</summary>
    /// <exception cref="DatabaseUnavailableException">The database stays away.</exception>
    public Task<T> RunInTransactionAsync<T>(Func<DsdeDbContext, CancellationToken, Task<T>> work, CancellationToken cancellationToken) =>
        RunAsync(
            async (context, token) =>
            {
                await using var transaction = await context.Database.BeginTransactionAsync(token);
                try
                {
                    var result = await work(context, token);
                    await dialect.CommitAsync(context, transaction, token);
                    return result;
                }
                catch (Exception exception) when (RanOutOfTime(exception))
                {
                    throw new SlowTransactionException(exception);
                }
            },
            cancellationToken
        );

    /// <inheritdoc cref="RunInTransactionAsync{T}"/>
    public Task RunInTransactionAsync(Func<DsdeDbContext, CancellationToken, Task> work, CancellationToken cancellationToken) =>
        RunInTransactionAsync(
            async (context, token) =>
            {
                await work(context, token);
                return true;
            },
            cancellationToken
        );

    /// <summary>The database without its secrets.</summary>
    public string Describe()
    {
        if (options.Provider == PersistenceOptions.Sqlite)
        {
            return new SqliteConnectionStringBuilder(options.ConnectionString).DataSource;
        }

        var builder = new NpgsqlConnectionStringBuilder(options.ConnectionString);
        return $"{builder.Database} on {builder.Host}:{builder.Port}";
    }

    /// <summary>
    /// Whether the same may work later: it could not be reached, was overloaded, locked, full, a standby, or cut the statement off.
    /// </summary>
    private static bool IsTransient(Exception exception) =>
        exception is not OperationCanceledException
        && (
            Innermost(exception) is SqliteException { SqliteErrorCode: SqliteBusy or SqliteLocked }
            || IsUnreachable(exception)
            || Chain(exception)
                .Any(error =>
                    error
                        is DbException { IsTransient: true }
                            or PostgresException { SqlState: PostgresErrorCodes.QueryCanceled or PostgresErrorCodes.ReadOnlySqlTransaction }
                )
        );

    private static bool IsUnreachable(Exception exception) =>
        exception is not OperationCanceledException
        && Chain(exception)
            .Any(error =>
                error
                    is SocketException
                        or TimeoutException
                        or SqliteException { SqliteErrorCode: 14 }
                        or PostgresException
                        {
                            SqlState: PostgresErrorCodes.AdminShutdown
                                or PostgresErrorCodes.CrashShutdown
                                or PostgresErrorCodes.CannotConnectNow
                                or IdleInTransaction
                        }
                || (error is NpgsqlException and not PostgresException)
            );

    /// <summary>Within a transaction, so that it was not the connection that took too long.</summary>
    private static bool RanOutOfTime(Exception exception) =>
        exception is not OperationCanceledException
        && Chain(exception)
            .Any(error =>
                error
                    is TimeoutException
                        or PostgresException { SqlState: PostgresErrorCodes.QueryCanceled or PostgresErrorCodes.LockNotAvailable }
            );

    /// <summary>The password is wrong, or the user has no right to connect.</summary>
    private static bool IsRefusal(PostgresException exception) =>
        exception.SqlState
            is PostgresErrorCodes.InvalidAuthorizationSpecification
                or PostgresErrorCodes.InvalidPassword
                or PostgresErrorCodes.InsufficientPrivilege;

    private static IEnumerable<Exception> Chain(Exception exception)
    {
        for (var current = exception; current is not null; current = current.InnerException)
        {
            yield return current;
        }
    }

    private static Exception Innermost(Exception exception) => Chain(exception).Last();

    /// <summary>A transaction waited for something longer than it may; tried again at once it would wait again.</summary>
    private sealed class SlowTransactionException(Exception inner) : Exception(inner.Message, inner);
}
