using Dsde.Worker.Cli;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Dsde.Worker.Messaging;

/// <summary>Plain connections to the broker, for what MassTransit is not needed for.</summary>
internal static class BrokerConnection
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    /// <exception cref="CommandFailedException">The broker can't be reached.</exception>
    public static async Task<IConnection> OpenAsync(RabbitMqOptions options, CancellationToken cancellationToken)
    {
        var factory = new ConnectionFactory
        {
            HostName = options.Host,
            Port = options.Port,
            VirtualHost = options.VirtualHost,
            UserName = options.Username,
            Password = options.Password,
            RequestedConnectionTimeout = ConnectTimeout,
            Ssl = new SslOption { Enabled = options.UseTls, ServerName = options.Host },
        };
        try
        {
            return await factory.CreateConnectionAsync("dsde", cancellationToken);
        }
        catch (BrokerUnreachableException exception)
        {
            throw new CommandFailedException(
                $"RabbitMQ at {options.Describe()} can't be reached as user {options.Username}: {exception.InnerException?.Message ?? exception.Message} "
                + $"Check that it runs, and {RabbitMqOptions.SectionName}:Host, Port, Username and Password (for example Dsde__RabbitMq__Host in the environment).",
                exception);
        }
    }
}
