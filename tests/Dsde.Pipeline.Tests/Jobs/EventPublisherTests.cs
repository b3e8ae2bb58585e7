using System.Reflection;
using System.Runtime.Serialization;
using Dsde.Contracts;
using Dsde.Pipeline.Jobs.Ends;
using MassTransit;
using Microsoft.Extensions.Logging.Abstractions;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Dsde.Pipeline.Tests.Jobs;

public sealed class EventPublisherTests
{
    private static readonly CancelGenerationJob Event = new() { JobId = Guid.NewGuid() };

    private readonly IPublishEndpoint _endpoint = DispatchProxy.Create<IPublishEndpoint, FailingEndpoint>();
    private readonly EventPublisher _publisher = new(TimeProvider.System, NullLogger<EventPublisher>.Instance);

    private FailingEndpoint Endpoint => (FailingEndpoint)_endpoint;

    [Fact]
    public async Task An_event_whose_connection_breaks_is_published_again_on_the_next_one()
    {
        Endpoint.Failures.Enqueue(
            new AlreadyClosedException(new ShutdownEventArgs(RabbitMQ.Client.ShutdownInitiator.Library, 541, "reset"))
        );
        Endpoint.Failures.Enqueue(new TaskCanceledException()); // what a channel that closes meanwhile throws

        await _publisher.PublishAsync(_endpoint, Event, Guid.NewGuid(), Guid.NewGuid(), default, TestContext.Current.CancellationToken);

        Endpoint.Calls.ShouldBe(3);
    }

    [Fact]
    public async Task What_is_wrong_with_the_event_itself_is_thrown()
    {
        Endpoint.Failures.Enqueue(new SerializationException("no"));

        await Should.ThrowAsync<SerializationException>(() =>
            _publisher.PublishAsync(_endpoint, Event, Guid.NewGuid(), Guid.NewGuid(), default, TestContext.Current.CancellationToken)
        );

        Endpoint.Calls.ShouldBe(1);
    }

    [Fact]
    public async Task Once_the_delivery_is_lost_nothing_is_tried_any_more()
    {
        using var lost = new CancellationTokenSource();
        await lost.CancelAsync();
        Endpoint.Failures.Enqueue(new IOException("reset"));

        await Should.ThrowAsync<Exception>(() =>
            _publisher.PublishAsync(_endpoint, Event, Guid.NewGuid(), Guid.NewGuid(), default, lost.Token)
        );

        Endpoint.Calls.ShouldBe(1);
    }

    /// <summary>An endpoint whose next calls fail.</summary>
    public class FailingEndpoint : DispatchProxy
    {
        public Queue<Exception> Failures { get; } = new();

        public int Calls { get; private set; }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            Calls++;
            return Failures.TryDequeue(out var failure) ? Task.FromException(failure) : Task.CompletedTask;
        }
    }
}
