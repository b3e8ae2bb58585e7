using System.Security.Authentication;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Dsde.Pipeline.Messaging;

/// <summary>
/// A connection to the broker without the bus, for what the bus does not do. It does not come back by itself: whoever needs another one
/// opens it.
/// </summary>
internal sealed class PlainConnection : IAsyncDisposable
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The client library may hang while it closes a connection that breaks at the same time (rabbitmq-dotnet-client issues 1960, 1968 and
    /// 1976). What has not closed by then is left behind.
    /// </summary>
    private static readonly TimeSpan ClosePatience = TimeSpan.FromSeconds(5);

    private readonly IConnection _connection;

    private PlainConnection(IConnection connection) => _connection = connection;

    /// <summary>Whether it can be used, as far as is known.</summary>
    public bool IsOpen => _connection.IsOpen;

    /// <exception cref="BrokerUnavailableException">The broker can't be reached.</exception>
    /// <exception cref="ExpectedFailureException">It is not the one it should be, or doesn't let the user in.</exception>
    public static async Task<PlainConnection> OpenAsync(RabbitMqOptions options, CancellationToken cancellationToken)
    {
        var factory = new ConnectionFactory
        {
            HostName = options.Host,
            Port = options.Port,
            VirtualHost = options.VirtualHost,
            UserName = options.Username,
            Password = options.ReadPassword(),
            RequestedConnectionTimeout = ConnectTimeout,
            AutomaticRecoveryEnabled = false,
        };
        if (options.UseTls)
        {
            new BrokerTls(options).ApplyTo(factory.Ssl);
        }

        try
        {
            var connection = new PlainConnection(await factory.CreateConnectionAsync("dsde", cancellationToken));
            await connection.RequireAdmittedAsync(options, cancellationToken);
            return connection;
        }
        catch (RabbitMQClientException exception) when (BrokerFailure.FindAnswer(exception) is not null)
        {
            throw BrokerFailure.Create(options, exception);
        }
        catch (BrokerUnreachableException exception)
        {
            var message =
                $"RabbitMQ at {options.Describe()} can't be reached as user {options.Username}: {BrokerFailure.Reason(exception)} "
                + $"Check that it runs, and {RabbitMqOptions.SectionName}:Host, Port, Username, Password and UseTls "
                + "(for example Dsde__RabbitMq__Host in the environment).";
            throw IsUntrusted(exception)
                ? new ExpectedFailureException(message, exception)
                : new BrokerUnavailableException(message, exception);
        }
    }

    /// <summary>Opens a channel.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="confirms">Whether publishing returns when the broker has the message, instead of when it is sent.</param>
    /// <exception cref="RabbitMQClientException">The connection has gone.</exception>
    public Task<IChannel> CreateChannelAsync(CancellationToken cancellationToken, bool confirms = false) =>
        _connection.CreateChannelAsync(
            new CreateChannelOptions(publisherConfirmationsEnabled: confirms, publisherConfirmationTrackingEnabled: confirms),
            cancellationToken
        );

    /// <summary>Calls something when the connection has gone, or at once if it already has.</summary>
    /// <param name="gone">Must not throw.</param>
    public void WhenGone(Action gone)
    {
        _connection.ConnectionShutdownAsync += (_, _) =>
        {
            gone();
            return Task.CompletedTask;
        };
        if (!_connection.IsOpen)
        {
            gone();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() =>
        await Task.Run(() => _connection.DisposeAsync().AsTask())
            .WaitAsync(ClosePatience)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <summary>
    /// The client does not wait for the broker's answer on the virtual host: it comes with the first channel, or ends the connection
    /// meanwhile.
    /// </summary>
    private async Task RequireAdmittedAsync(RabbitMqOptions options, CancellationToken cancellationToken)
    {
        try
        {
            await using var channel = await CreateChannelAsync(cancellationToken);
        }
        catch (Exception exception)
        {
            var answer = _connection.CloseReason is { } reason ? new OperationInterruptedException(reason) : exception;
            await DisposeAsync();
            if (!BrokerFailure.IsOne(exception))
            {
                throw;
            }

            throw BrokerFailure.Create(options, answer);
        }
    }

    /// <summary>One side does not take the other for who it should be.</summary>
    private static bool IsUntrusted(Exception? exception) =>
        exception switch
        {
            null => false,
            PossibleAuthenticationFailureException or AuthenticationException => true,
            AggregateException many => many.InnerExceptions.Any(IsUntrusted),
            _ => IsUntrusted(exception.InnerException),
        };
}
