using System.Security.Authentication;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Dsde.Pipeline.Messaging;

/// <summary>A connection to the broker without the bus, for what the bus does not do.</summary>
internal static class PlainConnection
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    /// <exception cref="BrokerUnavailableException">The broker can't be reached.</exception>
    /// <exception cref="ExpectedFailureException">It is not the one it should be, or doesn't let the user in.</exception>
    public static async Task<IConnection> OpenAsync(RabbitMqOptions options, CancellationToken cancellationToken)
    {
        var factory = new ConnectionFactory
        {
            HostName = options.Host,
            Port = options.Port,
            VirtualHost = options.VirtualHost,
            UserName = options.Username,
            Password = options.ReadPassword(),
            RequestedConnectionTimeout = ConnectTimeout,
        };
        if (options.UseTls)
        {
            new BrokerTls(options).ApplyTo(factory.Ssl);
        }

        try
        {
            var connection = await factory.CreateConnectionAsync("dsde", cancellationToken);
            await RequireAdmittedAsync(connection, options, cancellationToken);
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

    /// <summary>
    /// The client does not wait for the broker's answer on the virtual host: it comes with the first channel, or ends the connection meanwhile.
    /// </summary>
    private static async Task RequireAdmittedAsync(IConnection connection, RabbitMqOptions options, CancellationToken cancellationToken)
    {
        try
        {
            await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        }
        catch (Exception exception) when (BrokerFailure.IsOne(exception))
        {
            var answer = connection.CloseReason is { } reason ? new OperationInterruptedException(reason) : exception;
            await connection.DisposeAsync();
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
