using System.Reflection;
using System.Runtime.Serialization;
using Dsde.Contracts;
using Dsde.Pipeline.Jobs.Ends;
using Dsde.Pipeline.Resilience;
using MassTransit;
using Microsoft.Extensions.Logging.Abstractions;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Dsde.Pipeline.Tests.Jobs;

public sealed class EventPublisherTests
{
    private static readonly CancelGenerationJob Event = new() { JobId = Guid.NewGuid() };

    private readonly IPublishEndpoint _endpoint = DispatchProxy.Create<IPublishEndpoint, FailingEndpoint>();
    private readonly EventPublisher _publisher;

    public EventPublisherTests() =>
        _publisher = new EventPublisher(
            () => _endpoint,
            new BrokerPatience(TimeProvider.System, NullLogger<BrokerPatience>.Instance),
            TimeProvider.System,
            NullLogger<EventPublisher>.Instance
        );

    private FailingEndpoint Endpoint => (FailingEndpoint)_endpoint;

    [Fact]
    public async Task An_event_whose_connection_breaks_is_published_again_on_the_next_one()
    {
        Endpoint.Failures.Enqueue(
            new AlreadyClosedException(new ShutdownEventArgs(RabbitMQ.Client.ShutdownInitiator.Library, 541, "reset"))
        );
        Endpoint.Failures.Enqueue(new TaskCanceledException()); // what a channel that closes meanwhile throws

        await _publisher.PublishAsync(Event, smaller: null, Guid.NewGuid(), Guid.NewGuid(), default, TestContext.Current.CancellationToken);

        Endpoint.Calls.ShouldBe(3);
    }

    [Fact]
    public async Task What_is_wrong_with_the_event_itself_is_thrown()
    {
        Endpoint.Failures.Enqueue(new SerializationException("no"));

        await Should.ThrowAsync<SerializationException>(() =>
            _publisher.PublishAsync(Event, smaller: null, Guid.NewGuid(), Guid.NewGuid(), default, TestContext.Current.CancellationToken)
        );

        Endpoint.Calls.ShouldBe(1);
    }

    [Fact]
    public async Task An_event_that_the_broker_finds_too_large_is_sent_in_its_smaller_form_and_the_next_one_at_once()
    {
        Endpoint.Failures.Enqueue(TooLarge());
        var large = new GenerationJobCompletedStandIn(new string('x', 2_000_000));

        var first = await PublishAsync(large, Event);
        var second = await PublishAsync(large, Event);
        var small = await PublishAsync(Event, smaller: null);

        (first, second, small).ShouldBe((false, false, true));
        Endpoint.Sent.ShouldBe([large, Event, Event, Event]);
        Endpoint.Observers.ShouldBe(0);
    }

    [Fact]
    public async Task A_small_event_that_loses_its_channel_to_anothers_size_is_sent_again_whole()
    {
        Endpoint.Failures.Enqueue(new ConnectionException("wrapped", TooLarge()));

        (await PublishAsync(Event, new GenerationJobCompletedStandIn(""))).ShouldBeTrue();

        Endpoint.Sent.ShouldBe([Event, Event]);
    }

    [Fact]
    public async Task An_event_that_is_too_large_in_every_form_is_not_published_for_ever()
    {
        Endpoint.Failures.Enqueue(TooLarge());
        Endpoint.Failures.Enqueue(TooLarge());
        var large = new GenerationJobCompletedStandIn(new string('x', 2_000_000));

        (await Should.ThrowAsync<EventTooLargeException>(() => PublishAsync(large, large))).Message.ShouldContain("at most 1048576");

        Endpoint.Calls.ShouldBe(2);
    }

    private Task<bool> PublishAsync(object whole, object? smaller) =>
        _publisher.PublishAsync(whole, smaller, Guid.NewGuid(), Guid.NewGuid(), default, TestContext.Current.CancellationToken);

    private static AlreadyClosedException TooLarge() =>
        new(
            new ShutdownEventArgs(
                RabbitMQ.Client.ShutdownInitiator.Peer,
                406,
                "PRECONDITION_FAILED - message size 2000123 is larger than configured max size 1048576"
            )
        );

    [Fact]
    public async Task Once_the_delivery_is_lost_nothing_is_tried_any_more()
    {
        using var lost = new CancellationTokenSource();
        await lost.CancelAsync();
        Endpoint.Failures.Enqueue(new IOException("reset"));

        await Should.ThrowAsync<Exception>(() =>
            _publisher.PublishAsync(Event, smaller: null, Guid.NewGuid(), Guid.NewGuid(), default, lost.Token)
        );

        Endpoint.Calls.ShouldBe(1);
    }

    /// <summary>
    /// An endpoint whose next calls fail. A closed channel it tells only to observers, as MassTransit does, and goes on for ever.
    /// </summary>
    public class FailingEndpoint : DispatchProxy
    {
        private readonly List<IPublishObserver> _observers = [];

        public Queue<Exception> Failures { get; } = new();

        public int Calls { get; private set; }

        public List<object?> Sent { get; } = [];

        public int Observers => _observers.Count;

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
            args switch
            {
                [IPublishObserver observer] => Connect(observer),
                [{ } message, Type, IPipe<PublishContext> pipe, CancellationToken cancelled] => PublishAsync(message, pipe, cancelled),
                _ => throw new NotSupportedException(targetMethod?.Name),
            };

        private Connection Connect(IPublishObserver observer)
        {
            _observers.Add(observer);
            return new Connection(() => _observers.Remove(observer));
        }

        private async Task PublishAsync(object message, IPipe<PublishContext> pipe, CancellationToken cancelled)
        {
            Calls++;
            Sent.Add(message);
            var context = DispatchProxy.Create<PublishContext<object>, Properties>();
            ((Properties)(object)context).Set(nameof(SendContext.BodyLength), JobEvents.CountBytes(message));
            await pipe.Send(context);
            if (!Failures.TryDequeue(out var failure))
            {
                return;
            }

            foreach (var observer in _observers.ToList())
            {
                await observer.PublishFault(context, failure);
            }

            if (failure is AlreadyClosedException { ShutdownReason.ReplyCode: 406 } or ConnectionException)
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, cancelled);
            }

            throw failure;
        }
    }

    /// <summary>Properties that keep what they are set to.</summary>
    public class Properties : DispatchProxy
    {
        private readonly Dictionary<string, object?> _values = [];

        public void Set(string name, object value) => _values[name] = value;

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            var name = targetMethod?.Name ?? "";
            if (name.StartsWith("set_", StringComparison.Ordinal))
            {
                _values[name[4..]] = args![0];
                return null;
            }

            return _values.GetValueOrDefault(name[4..]);
        }
    }

    private sealed class Connection(Action disconnect) : ConnectHandle
    {
        public void Disconnect() => disconnect();

        public void Dispose() => disconnect();
    }

    private sealed record GenerationJobCompletedStandIn(string Text);
}
