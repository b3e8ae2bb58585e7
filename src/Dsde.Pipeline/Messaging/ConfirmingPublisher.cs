using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Dsde.Pipeline.Messaging;

/// <summary>
/// Sends messages on over a connection without the bus, and knows of each whether a queue has it. Any number at once. What fails is not
/// tried again here; the next message gets a new connection.
/// </summary>
/// <param name="rabbitMq">The broker.</param>
/// <param name="topology">Made with every connection, also if somebody has deleted it.</param>
internal sealed class ConfirmingPublisher(RabbitMqOptions rabbitMq, QueueTopology topology) : IAsyncDisposable
{
    private readonly SemaphoreSlim _opening = new(1);
    private Link? _link;

    /// <summary>Publishes a message; returns when the broker has put it into its queues.</summary>
    /// <returns>False if there is no queue for it: then nobody has it.</returns>
    /// <exception cref="ExpectedFailureException">The broker can't be reached, or refuses.</exception>
    /// <exception cref="RabbitMQClientException">It went away meanwhile, or did not take the message.</exception>
    public async Task<bool> TryPublishAsync(
        string exchange,
        string routingKey,
        BasicProperties properties,
        ReadOnlyMemory<byte> body,
        CancellationToken cancellationToken
    )
    {
        var link = await OpenAsync(cancellationToken);
        try
        {
            await link.Channel.BasicPublishAsync(exchange, routingKey, mandatory: true, properties, body, cancellationToken);
            return true;
        }
        catch (PublishException exception) when (exception.IsReturn)
        {
            return false;
        }
        catch (Exception exception) when (exception is not (OperationCanceledException or PublishException))
        {
            await CloseAsync(link);
            throw;
        }
    }

    /// <summary>The same for a queue that has to be there.</summary>
    /// <exception cref="ExpectedFailureException">It is not there, and the next call makes it; or as above.</exception>
    public async Task PublishAsync(
        string exchange,
        string routingKey,
        BasicProperties properties,
        ReadOnlyMemory<byte> body,
        CancellationToken cancellationToken
    )
    {
        if (!await TryPublishAsync(exchange, routingKey, properties, body, cancellationToken))
        {
            await CloseAsync(_link);
            throw new ExpectedFailureException($"RabbitMQ at {rabbitMq.Describe()} has no queue for {exchange}{routingKey}.");
        }
    }

    /// <summary>The connection, for reading queues.</summary>
    /// <exception cref="ExpectedFailureException">The broker can't be reached, or refuses.</exception>
    public async Task<IConnection> ConnectAsync(CancellationToken cancellationToken) => (await OpenAsync(cancellationToken)).Connection;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await CloseAsync(_link);
        _opening.Dispose();
    }

    private async Task<Link> OpenAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _link) is { IsOpen: true } open)
        {
            return open;
        }

        await _opening.WaitAsync(cancellationToken);
        try
        {
            if (_link is { IsOpen: true } other)
            {
                return other;
            }

            await CloseAsync(_link);
            var connection = await PlainConnection.OpenAsync(rabbitMq, cancellationToken);
            try
            {
                await topology.DeclareAsync(connection, cancellationToken);
                var channel = await connection.CreateChannelAsync(
                    new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true),
                    cancellationToken
                );
                return _link = new Link(connection, channel);
            }
            catch
            {
                await connection.DisposeAsync();
                throw;
            }
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>Closes a connection, unless another one has taken its place.</summary>
    private async Task CloseAsync(Link? link)
    {
        if (link is not null && Interlocked.CompareExchange(ref _link, null, link) == link)
        {
            await link.Channel.DisposeAsync();
            await link.Connection.DisposeAsync();
        }
    }

    private sealed record Link(IConnection Connection, IChannel Channel)
    {
        public bool IsOpen => Connection.IsOpen && Channel.IsOpen;
    }
}
