using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Dsde.Pipeline.Messaging;

/// <summary>A connection to the broker without the bus, for what the bus does not do.</summary>
internal static class PlainConnection
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    /// <exception cref="ExpectedFailureException">The broker can't be reached, is not the one it should be, or doesn't let the user
    /// in.</exception>
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
            return await factory.CreateConnectionAsync("dsde", cancellationToken);
        }
        catch (BrokerUnreachableException exception) when (FindRefusal(exception) is { } refusal)
        {
            throw new ExpectedFailureException(BrokerRefusal.Describe(options, refusal), exception);
        }
        catch (OperationInterruptedException exception)
        {
            throw new ExpectedFailureException(BrokerRefusal.Describe(options, exception), exception);
        }
        catch (BrokerUnreachableException exception)
        {
            throw new ExpectedFailureException(
                $"RabbitMQ at {options.Describe()} can't be reached as user {options.Username}: {Reason(exception)} "
                    + $"Check that it runs, and {RabbitMqOptions.SectionName}:Host, Port, Username, Password and UseTls "
                    + "(for example Dsde__RabbitMq__Host in the environment).",
                exception
            );
        }
    }

    /// <summary>What the broker said once the user was in; null if it did not come to that.</summary>
    private static OperationInterruptedException? FindRefusal(Exception? exception) =>
        exception switch
        {
            OperationInterruptedException { ShutdownReason: not null } refusal => refusal,
            AggregateException { InnerExceptions: [var first, ..] } => FindRefusal(first),
            null => null,
            _ => FindRefusal(exception.InnerException),
        };

    /// <summary>The innermost message, which is the one that says something.</summary>
    private static string Reason(Exception exception)
    {
        while ((exception is AggregateException { InnerExceptions: [var first, ..] } ? first : exception.InnerException) is { } inner)
        {
            exception = inner;
        }

        return exception.Message.TrimEnd('.', ' ') + ".";
    }
}
