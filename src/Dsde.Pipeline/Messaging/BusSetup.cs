using Dsde.Contracts;
using Dsde.Pipeline.Consumers;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Messaging.Attachment;
using Dsde.Pipeline.Messaging.Incoming;
using Dsde.Pipeline.Messaging.Routing;
using Dsde.Pipeline.Resilience;
using MassTransit;
using Microsoft.Extensions.Options;
using RabbitMQ.Client;

namespace Dsde.Pipeline.Messaging;

/// <summary>The bus, over RabbitMQ or in memory: the same endpoints and consumers either way.</summary>
internal static class BusSetup
{
    private const string CancelJobName = "dsde-cancel-job";
    private const string CancelBatchName = "dsde-cancel-batch";

    /// <summary>
    /// After about twice that the broker takes back what a frozen machine was sent, which is nobody's until then. Too short for no one, as
    /// a connection that is lost for nothing costs a moment only.
    /// </summary>
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Messages that a worker routes at once. Enough for the broker to confirm many by one write to its disk; more would only be more
    /// memory where messages are large.
    /// </summary>
    private const int RoutedAtOnce = 32;

    /// <summary>Where jobs are sent over RabbitMQ: an exchange, so that no sender declares a queue.</summary>
    public static readonly Uri RabbitMqJobs = new($"exchange:{QueueNames.GenerationJobs}");

    /// <summary>Where jobs are sent in memory.</summary>
    public static readonly Uri InMemoryJobs = new($"queue:{QueueNames.GenerationJobs}");

    /// <summary>Consumers of jobs and commands, over RabbitMQ.</summary>
    public static void AddRabbitMqWorker(this IServiceCollection services, RabbitMqOptions rabbitMq, WorkerOptions worker, int batchSize)
    {
        services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            bus.UsingRabbitMq(
                (context, configuration) =>
                {
                    UseHost(configuration, rabbitMq);
                    configuration.SendTopology.ErrorQueueNameFormatter = new OneErrorQueue();
                }
            );
        });
        SetStopTimeout(services, worker);
        services.RemoveMassTransitHostedService(); // the watchdog has that part
        var topology = new QueueTopology(rabbitMq, worker.Models);
        services.AddSingleton(_ => new ConfirmingPublisher(rabbitMq, topology));
        services.AddSingleton<IWaitingPlace, WaitingQueue>();
        services.AddSingleton<QueueDepths>();
        services.AddSingleton<SettledQueues>();
        services.AddSingleton<ParkedJobs>();
        services.AddSingleton<JobRouter>();
        services.AddSingleton<IWatchedBus>(provider => new WatchedBus(
            provider.GetRequiredService<IBusControl>(),
            provider.GetRequiredService<IOptions<MassTransitHostOptions>>(),
            topology,
            CreateEndpoints(provider, rabbitMq, worker, batchSize)
        ));
        services.AddSingleton<BusWatchdog>();
        services.AddHostedService(provider => provider.GetRequiredService<BusWatchdog>());
        services.AddHostedService(provider => provider.GetRequiredService<ParkedJobs>());
        services.AddHostedService<EarlierQueues>();
    }

    /// <summary>A bus that only sends and listens for events, over RabbitMQ.</summary>
    public static void AddRabbitMqClient(
        this IServiceCollection services,
        RabbitMqOptions rabbitMq,
        Action<IBusRegistrationConfigurator>? addConsumers = null
    )
    {
        services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            addConsumers?.Invoke(bus);
            bus.UsingRabbitMq(
                (context, configuration) =>
                {
                    UseHost(configuration, rabbitMq);
                    if (addConsumers is not null)
                    {
                        configuration.ReceiveEndpoint(
                            new TemporaryEndpointDefinition("dsde-followers"),
                            endpoint => endpoint.ConfigureConsumers(context)
                        );
                    }
                }
            );
        });
    }

    /// <summary>Everything in this process.</summary>
    public static void AddInMemoryWorker(this IServiceCollection services, WorkerOptions worker, int batchSize, Type eventConsumer)
    {
        services.AddSingleton<IWaitingPlace, WaitInProcess>();
        services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            bus.AddConsumer(eventConsumer);
            bus.UsingInMemory(
                (context, configuration) =>
                {
                    configuration.ReceiveEndpoint(
                        QueueNames.GenerationJobs,
                        endpoint => ConfigureJobs(endpoint, context, worker, batchSize + worker.PrefetchMargin, _ => null)
                    );
                    configuration.ReceiveEndpoint(
                        CancelJobName,
                        endpoint => ConfigureCommand<CancelGenerationJob, CancelGenerationJobConsumer>(endpoint, context, worker)
                    );
                    configuration.ReceiveEndpoint(
                        CancelBatchName,
                        endpoint => ConfigureCommand<CancelGenerationBatch, CancelGenerationBatchConsumer>(endpoint, context, worker)
                    );
                    configuration.ReceiveEndpoint("dsde-followers", endpoint => endpoint.ConfigureConsumer(context, eventConsumer));
                }
            );
        });
        SetStopTimeout(services, worker);
    }

    /// <summary>They are connected to the running bus, one by one, because only such endpoints can be restarted.</summary>
    private static IReadOnlyList<WatchedEndpoint> CreateEndpoints(
        IServiceProvider services,
        RabbitMqOptions rabbitMq,
        WorkerOptions worker,
        int batchSize
    )
    {
        var (connector, time) = (services.GetRequiredService<IReceiveEndpointConnector>(), services.GetRequiredService<TimeProvider>());
        return
        [
            .. worker
                .Models.SelectMany(Lane.AllOf)
                .Select(lane =>
                    CreateJobEndpoint(
                        lane.Queue,
                        endpoint =>
                        {
                            endpoint.Bind(
                                QueueNames.ModelGenerationJobs,
                                exchange =>
                                {
                                    exchange.ExchangeType = ExchangeType.Direct;
                                    exchange.RoutingKey = lane.RoutingKey;
                                    foreach (var (name, value) in QueueTopology.ModelArguments)
                                    {
                                        exchange.SetExchangeArgument(name, value);
                                    }
                                }
                            );
                        },
                        batchSize + worker.PrefetchMargin,
                        _ => lane.Model
                    )
                ),
            CreateJobEndpoint(
                QueueNames.UnroutedGenerationJobs,
                _ => { },
                RoutedAtOnce,
                message => FindModel(message) ?? (worker.DefaultModel.Length > 0 ? worker.DefaultModel : null)
            ),
            CreateCommandEndpoint<CancelGenerationJob, CancelGenerationJobConsumer>(CancelJobName, connector, worker, time),
            CreateCommandEndpoint<CancelGenerationBatch, CancelGenerationBatchConsumer>(CancelBatchName, connector, worker, time),
        ];

        WatchedEndpoint CreateJobEndpoint(
            string queue,
            Action<IRabbitMqReceiveEndpointConfigurator> bind,
            int atOnce,
            Func<ReceiveContext, string?> findModel
        ) =>
            new(
                queue,
                attachment =>
                    connector.ConnectReceiveEndpoint(
                        queue,
                        (context, endpoint) =>
                        {
                            Watch(endpoint, attachment);
                            ConfigureQueue((IRabbitMqReceiveEndpointConfigurator)endpoint, rabbitMq);
                            bind((IRabbitMqReceiveEndpointConfigurator)endpoint);
                            var users = new SenderUserFilter(
                                context.GetRequiredService<ConfirmingPublisher>(),
                                context.GetRequiredService<BrokerPatience>()
                            );
                            endpoint.ConfigureReceive(receive => receive.UseFilter(users));
                            ConfigureJobs(endpoint, context, worker, atOnce, findModel);
                        }
                    ),
                time
            );
    }

    /// <summary>The model that a routing key names for which there is no queue, or named before the message was parked.</summary>
    private static string? FindModel(ReceiveContext message) =>
        message.TryGetPayload(out RabbitMqBasicConsumeContext? delivery)
            ? (Parking.FindLane(delivery.Properties) ?? Lane.FindByKey(delivery.RoutingKey ?? ""))?.Model
            : null;

    private static WatchedEndpoint CreateCommandEndpoint<TCommand, TConsumer>(
        string name,
        IReceiveEndpointConnector connector,
        WorkerOptions worker,
        TimeProvider time
    )
        where TCommand : class
        where TConsumer : class, IConsumer =>
        new(
            name,
            attachment =>
                connector.ConnectReceiveEndpoint(
                    new TemporaryEndpointDefinition(name),
                    null,
                    (context, endpoint) =>
                    {
                        Watch(endpoint, attachment);
                        ConfigureCommand<TCommand, TConsumer>(endpoint, context, worker);
                    }
                ),
            time
        );

    private static void Watch(IReceiveEndpointConfigurator endpoint, WatchedEndpoint.Attachment attachment)
    {
        endpoint.ConnectReceiveEndpointObserver(attachment);
        endpoint.ConfigureReceive(receive => receive.UseFilter(attachment));
    }

    /// <summary>As <see cref="QueueTopology"/> has them. Jobs are sent and never published.</summary>
    private static void ConfigureQueue(IRabbitMqReceiveEndpointConfigurator endpoint, RabbitMqOptions rabbitMq)
    {
        endpoint.ConfigureConsumeTopology = false;
        endpoint.BindDeadLetterQueue(QueueNames.DeadGenerationJobs);
        foreach (var (name, value) in QueueTopology.JobArguments(rabbitMq))
        {
            endpoint.SetQueueArgument(name, value);
        }
    }

    /// <summary>
    /// Of a lane it takes what the engine can hold and a little more; raw JSON is read as well as envelopes. A fault isn't published: it
    /// would carry the prompt.
    /// </summary>
    private static void ConfigureJobs(
        IReceiveEndpointConfigurator endpoint,
        IRegistrationContext context,
        WorkerOptions worker,
        int atOnce,
        Func<ReceiveContext, string?> findModel
    )
    {
        endpoint.PrefetchCount = atOnce;
        endpoint.ConcurrentMessageLimit = atOnce;
        endpoint.PublishFaults = false;
        var logger = context.GetRequiredService<ILoggerFactory>().CreateLogger<IncomingJobFilter>();
        endpoint.ConfigureReceive(receive => receive.UseFilter(new IncomingJobFilter(worker.MaxJobBytes, findModel, logger)));
        // One for all messages: a scope for each would cost and hold nothing.
        endpoint.Instance(context.GetRequiredService<SubmitGenerationJobConsumer>());
    }

    /// <summary>
    /// A queue per command, since a raw body doesn't say which one it is. It goes with its worker: what can't be read there is dropped
    /// rather than left in an error queue that nobody would ever look at.
    /// </summary>
    private static void ConfigureCommand<TCommand, TConsumer>(
        IReceiveEndpointConfigurator endpoint,
        IRegistrationContext context,
        WorkerOptions worker
    )
        where TCommand : class
        where TConsumer : class, IConsumer
    {
        endpoint.PublishFaults = false;
        endpoint.DiscardFaultedMessages();
        endpoint.DiscardSkippedMessages();
        var logger = context.GetRequiredService<ILoggerFactory>().CreateLogger<IncomingCommandFilter<TCommand>>();
        endpoint.ConfigureReceive(receive => receive.UseFilter(new IncomingCommandFilter<TCommand>(worker.MaxJobBytes, logger)));
        endpoint.Instance(context.GetRequiredService<TConsumer>());
    }

    private static void UseHost(IRabbitMqBusFactoryConfigurator configuration, RabbitMqOptions rabbitMq) =>
        configuration.Host(
            rabbitMq.Host,
            (ushort)rabbitMq.Port,
            rabbitMq.VirtualHost,
            host =>
            {
                host.Username(rabbitMq.Username);
                host.Password(rabbitMq.ReadPassword());
                host.PublisherConfirmation = true;
                host.Heartbeat(Heartbeat);
                if (rabbitMq.UseTls)
                {
                    host.UseSsl(new BrokerTls(rabbitMq).ApplyTo);
                }
            }
        );

    /// <summary>Endpoints of commands have none.</summary>
    private sealed class OneErrorQueue : IErrorQueueNameFormatter
    {
        public string FormatErrorQueueName(string queueName) => QueueNames.FailedGenerationJobs;
    }

    /// <summary>The bus waits for consumers as long as they may drain, and a little for what they do at their end.</summary>
    private static void SetStopTimeout(IServiceCollection services, WorkerOptions worker)
    {
        services.Configure<MassTransitHostOptions>(options => options.StopTimeout = TimeSpan.FromSeconds(worker.DrainSeconds + 5));
        services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(worker.DrainSeconds + 10));
    }
}
