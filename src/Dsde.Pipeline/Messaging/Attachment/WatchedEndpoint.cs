using MassTransit;
using MassTransit.RabbitMqTransport;

namespace Dsde.Pipeline.Messaging.Attachment;

/// <summary>
/// An endpoint of the bus that can be connected again, and what is known of it. MassTransit alone does not tell when a consumer is gone: it
/// calls an endpoint healthy until every message that the consumer had has been dealt with, and gives up altogether after some errors; and
/// the client library may tell nobody for minutes that a connection has closed on which something was being published. So the deliveries
/// themselves are watched as well, and the connection that they came on.
/// </summary>
/// <param name="queue">Its queue, or what it is called.</param>
/// <param name="connect">Connects it to the bus, with an observer and filter of its state.</param>
/// <param name="time">The clock.</param>
internal sealed class WatchedEndpoint(string queue, Func<WatchedEndpoint.Attachment, HostReceiveEndpointHandle> connect, TimeProvider time)
{
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _firstAttached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private EndpointStatus _status = new(queue, time.GetUtcNow(), "It has not been connected yet.", LastDelivery: null);
    private Attachment? _current;
    private HostReceiveEndpointHandle? _handle;

    /// <summary>What is known now.</summary>
    public EndpointStatus Status
    {
        get
        {
            lock (_lock)
            {
                return _status;
            }
        }
    }

    /// <summary>Done when it has had a consumer once.</summary>
    public Task FirstAttached => _firstAttached.Task;

    /// <summary>Whether it has had a consumer once.</summary>
    public bool WasAttached => FirstAttached.IsCompletedSuccessfully;

    /// <summary>Connects it, for the first time or in place of what there was; whether messages come then is seen later.</summary>
    public async Task ConnectAsync(CancellationToken cancellationToken)
    {
        if (_handle is { } earlier)
        {
            _handle = null;
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            patience.CancelAfter(StopPatience);

            // What doesn't even stop is left behind: it has no consumer, and its name is free at once.
            await Task.Run(() => earlier.StopAsync(patience.Token), patience.Token)
                .WaitAsync(patience.Token)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }

        var attachment = new Attachment(this);
        lock (_lock)
        {
            _current = attachment;
        }

        _handle = connect(attachment);
    }

    /// <summary>Sees for itself whether the connection is closed that the last delivery came on.</summary>
    public void LookAtConnection()
    {
        if (Status.IsAttached && _current is { IsCutOff: true } current)
        {
            Detach(current, "Its connection is closed.");
        }
    }

    /// <summary>Notes what is known of the reason, while it is detached.</summary>
    public void Explain(string reason)
    {
        lock (_lock)
        {
            _status = _status with { Reason = reason };
        }
    }

    private void Attach(Attachment attachment)
    {
        lock (_lock)
        {
            if (attachment != _current)
            {
                return;
            }

            _status = _status with { DetachedSince = null, Reason = "" };
        }

        _firstAttached.TrySetResult();
    }

    private void Detach(Attachment attachment, string reason)
    {
        lock (_lock)
        {
            if (attachment == _current)
            {
                _status = _status with { DetachedSince = _status.DetachedSince ?? time.GetUtcNow(), Reason = reason };
            }
        }
    }

    private void NoteDelivery()
    {
        lock (_lock)
        {
            _status = _status with { LastDelivery = time.GetUtcNow() };
        }
    }

    /// <summary>One connection of the endpoint; what an earlier one has to tell doesn't count.</summary>
    internal sealed class Attachment(WatchedEndpoint owner) : IReceiveEndpointObserver, IFilter<ReceiveContext>
    {
        private volatile Func<bool>? _isConnected;

        /// <summary>Whether the connection has closed that the last delivery came on, if there was one since it was ready.</summary>
        public bool IsCutOff => _isConnected?.Invoke() is false;

        /// <inheritdoc/>
        public Task Ready(ReceiveEndpointReady ready)
        {
            _isConnected = null; // that of an earlier delivery
            owner.Attach(this);
            return Task.CompletedTask;
        }

        /// <inheritdoc/>
        public Task Stopping(ReceiveEndpointStopping stopping) => Task.CompletedTask;

        /// <inheritdoc/>
        public Task Completed(ReceiveEndpointCompleted completed)
        {
            owner.Detach(this, "Its channel or its consumer was closed.");
            return Task.CompletedTask;
        }

        /// <inheritdoc/>
        public Task Faulted(ReceiveEndpointFaulted faulted)
        {
            owner.Detach(this, faulted.Exception?.Message ?? "It failed.");
            return Task.CompletedTask;
        }

        /// <inheritdoc/>
        public Task Send(ReceiveContext context, IPipe<ReceiveContext> next) =>
            WatchAsync(
                () => next.Send(context),
                context.TryGetPayload(out ChannelContext? channel) ? () => channel.ConnectionContext.Connection.IsOpen : () => true,
                context.CancellationToken
            );

        /// <summary>
        /// A delivery that is called off while it is being dealt with means that its consumer is gone, and is the first to tell.
        /// </summary>
        /// <param name="deal">Deals with it.</param>
        /// <param name="isConnected">Whether the connection is open that it came on.</param>
        /// <param name="calledOff">Calls it off.</param>
        public async Task WatchAsync(Func<Task> deal, Func<bool> isConnected, CancellationToken calledOff)
        {
            _isConnected = isConnected;
            owner.NoteDelivery();
            await using var gone = calledOff.Register(() => owner.Detach(this, "The broker took its deliveries back."));
            await deal();
        }

        /// <inheritdoc/>
        public void Probe(ProbeContext context) => context.CreateFilterScope("attachment");
    }
}
