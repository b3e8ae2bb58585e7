using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Dsde.Pipeline.Messaging;

/// <summary>
/// Sends messages on over a connection without the bus, and knows of each whether a queue has it. Any number at once. What fails is not
/// tried again here; the next message gets a new connection.
/// </summary>
/// <remarks>
/// The client library does not always tell those who wait for a confirm that their connection has gone: whoever disposes of a channel first
/// takes that from the others. So the end of a connection ends all waiting here, and no waiting is for ever.
/// </remarks>
/// <param name="rabbitMq">The broker.</param>
/// <param name="topology">Made with every connection, also if somebody has deleted it.</param>
internal sealed class ConfirmingPublisher(RabbitMqOptions rabbitMq, QueueTopology topology) : IAsyncDisposable
{
    /// <summary>After that, a broker that has not confirmed is asked over a new connection. Being asked twice does no harm.</summary>
    private static readonly TimeSpan ConfirmPatience = TimeSpan.FromSeconds(30);

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
        using var confirming = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, link.Gone);
        confirming.CancelAfter(ConfirmPatience);
        try
        {
            await link
                .Channel.BasicPublishAsync(exchange, routingKey, mandatory: true, properties, body, confirming.Token)
                .AsTask()
                .WaitAsync(confirming.Token);
            return true;
        }
        catch (PublishException exception) when (exception.IsReturn)
        {
            return false;
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            await CloseAsync(link);
            throw new BrokerUnavailableException($"RabbitMQ at {rabbitMq.Describe()} has not confirmed a message.", exception);
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
    public async Task<PlainConnection> ConnectAsync(CancellationToken cancellationToken) => (await OpenAsync(cancellationToken)).Connection;

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
                return _link = new Link(connection, await connection.CreateChannelAsync(cancellationToken, confirms: true));
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

    /// <summary>Closes a connection with its channel, unless another one has taken its place.</summary>
    private async Task CloseAsync(Link? link)
    {
        if (link is not null && Interlocked.CompareExchange(ref _link, null, link) == link)
        {
            await link.DisposeAsync();
        }
    }

    private sealed class Link : IAsyncDisposable
    {
        private readonly CancellationTokenSource _gone = new(); // never disposed of: somebody may wait for it at any time

        public Link(PlainConnection connection, IChannel channel)
        {
            (Connection, Channel) = (connection, channel);
            connection.WhenGone(_gone.Cancel);
            channel.ChannelShutdownAsync += (_, _) => _gone.CancelAsync();
        }

        public PlainConnection Connection { get; }

        public IChannel Channel { get; }

        public CancellationToken Gone => _gone.Token;

        public bool IsOpen => !_gone.IsCancellationRequested && Connection.IsOpen && Channel.IsOpen;

        public async ValueTask DisposeAsync()
        {
            await _gone.CancelAsync();
            await Connection.DisposeAsync();
        }
    }
}
