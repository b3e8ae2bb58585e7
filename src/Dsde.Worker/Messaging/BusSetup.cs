using Dsde.Contracts;
using Dsde.Worker.Consumers;
using Dsde.Worker.Hosting;
using Dsde.Worker.Messaging.Incoming;
using MassTransit;

namespace Dsde.Worker.Messaging;

/// <summary>The bus, over RabbitMQ or in memory: the same endpoints and consumers either way.</summary>
internal static class BusSetup
{
    /// <summary>Scheme of addresses of the transport in memory.</summary>
    public const string InMemoryScheme = "loopback";

    /// <summary>Where jobs are sent in memory.</summary>
    public static readonly Uri InMemoryJobs = new($"queue:{QueueNames.GenerationJobs}");

    /// <summary>Consumers of jobs and commands, over RabbitMQ.</summary>
    public static void AddRabbitMqWorker(this IServiceCollection services, RabbitMqOptions rabbitMq, WorkerOptions worker, int batchSize)
    {
        services.AddMassTransit(bus =>
        {
            AddConsumers(bus);
            bus.UsingRabbitMq((context, configuration) =>
            {
                UseHost(configuration, rabbitMq);
                foreach (var lane in Lane.All)
                {
                    configuration.ReceiveEndpoint(lane.Queue, endpoint =>
                    {
                        endpoint.BindDeadLetterQueue(lane.DeadLetterQueue);
                        foreach (var (name, value) in lane.QueueArguments(rabbitMq))
                        {
                            endpoint.SetQueueArgument(name, value);
                        }

                        ConfigureJobs(endpoint, context, worker, batchSize);
                    });
                }

                configuration.ReceiveEndpoint(new TemporaryEndpointDefinition("dsde-commands"), endpoint => ConfigureCommands(endpoint, context));
            });
        });
        SetStopTimeout(services, worker);
    }

    /// <summary>A bus that only sends and listens for events, over RabbitMQ.</summary>
    public static void AddRabbitMqClient(this IServiceCollection services, RabbitMqOptions rabbitMq, Action<IBusRegistrationConfigurator>? addConsumers = null)
    {
        services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            addConsumers?.Invoke(bus);
            bus.UsingRabbitMq((context, configuration) =>
            {
                UseHost(configuration, rabbitMq);
                if (addConsumers is not null)
                {
                    configuration.ReceiveEndpoint(new TemporaryEndpointDefinition("dsde-followers"), endpoint => endpoint.ConfigureConsumers(context));
                }
            });
        });
    }

    /// <summary>Everything in this process.</summary>
    public static void AddInMemoryWorker(this IServiceCollection services, WorkerOptions worker, int batchSize, Type eventConsumer)
    {
        services.AddMassTransit(bus =>
        {
            AddConsumers(bus);
            bus.AddConsumer(eventConsumer);
            bus.UsingInMemory((context, configuration) =>
            {
                configuration.ReceiveEndpoint(QueueNames.GenerationJobs, endpoint => ConfigureJobs(endpoint, context, worker, batchSize));
                configuration.ReceiveEndpoint("dsde-commands", endpoint => ConfigureCommands(endpoint, context));
                configuration.ReceiveEndpoint("dsde-followers", endpoint => endpoint.ConfigureConsumer(context, eventConsumer));
            });
        });
        SetStopTimeout(services, worker);
    }

    private static void AddConsumers(IBusRegistrationConfigurator bus)
    {
        bus.DisableUsageTelemetry();
        bus.AddConsumer<SubmitGenerationJobConsumer>();
        bus.AddConsumer<CancelGenerationJobConsumer>();
        bus.AddConsumer<CancelGenerationBatchConsumer>();
    }

    /// <summary>Takes what the engine can hold and a little more, per lane; raw JSON is read as well as envelopes. A fault isn't published: it would carry the prompt.</summary>
    private static void ConfigureJobs(IReceiveEndpointConfigurator endpoint, IRegistrationContext context, WorkerOptions worker, int batchSize)
    {
        endpoint.PrefetchCount = batchSize + worker.PrefetchMargin;
        endpoint.ConcurrentMessageLimit = batchSize + worker.PrefetchMargin;
        endpoint.PublishFaults = false;
        var logger = context.GetRequiredService<ILoggerFactory>().CreateLogger<IncomingJobFilter>();
        endpoint.ConfigureReceive(receive => receive.UseFilter(new IncomingJobFilter(worker.MaxJobBytes, logger)));
        endpoint.ConfigureConsumer<SubmitGenerationJobConsumer>(context);
    }

    /// <summary>The queue of commands goes with its worker: what can't be read there is dropped rather than left in an error queue that nobody would ever look at.</summary>
    private static void ConfigureCommands(IReceiveEndpointConfigurator endpoint, IRegistrationContext context)
    {
        endpoint.DiscardFaultedMessages();
        endpoint.DiscardSkippedMessages();
        endpoint.ConfigureConsumer<CancelGenerationJobConsumer>(context);
        endpoint.ConfigureConsumer<CancelGenerationBatchConsumer>(context);
    }

    private static void UseHost(IRabbitMqBusFactoryConfigurator configuration, RabbitMqOptions rabbitMq) =>
        configuration.Host(rabbitMq.Host, (ushort)rabbitMq.Port, rabbitMq.VirtualHost, host =>
        {
            host.Username(rabbitMq.Username);
            host.Password(rabbitMq.ReadPassword());
            host.PublisherConfirmation = true;
            if (rabbitMq.UseTls)
            {
                host.UseSsl(new BrokerTls(rabbitMq).ApplyTo);
            }
        });

    /// <summary>The bus waits for consumers as long as they may drain, and a little for what they do at their end.</summary>
    private static void SetStopTimeout(IServiceCollection services, WorkerOptions worker)
    {
        services.Configure<MassTransitHostOptions>(options => options.StopTimeout = TimeSpan.FromSeconds(worker.DrainSeconds + 5));
        services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(worker.DrainSeconds + 10));
    }
}
