using Dsde.Persistence;
using Dsde.Persistence.Migrating;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Hosting;

/// <summary>
/// Waits for what a worker can't do without, before it loads its models, which may take minutes. A service waits for its servers; a schema
/// that is not its own waits for no one.
/// </summary>
internal sealed class Prerequisites(WorkerHealth health, TimeProvider time, ILogger<Prerequisites> logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(3);

    /// <summary>Returns when the database answers and has this program's schema.</summary>
    /// <exception cref="ExpectedFailureException">The schema is older or newer.</exception>
    public Task RequireDatabaseAsync(IDatabaseMigrator migrator, CancellationToken cancellationToken) =>
        WaitForAsync(
            "database",
            $"Asking {migrator.Database}.",
            new Outage(time, logger.DatabaseAway, away => logger.DatabaseBack(away.TotalSeconds)),
            async () =>
            {
                try
                {
                    var schema = await migrator.InspectAsync(cancellationToken);
                    return schema.Problem is { } problem ? throw new ExpectedFailureException(problem) : null;
                }
                catch (DatabaseUnavailableException exception)
                {
                    return exception.Message;
                }
            },
            cancellationToken
        );

    /// <summary>Returns when the broker answers and has the queues.</summary>
    public Task RequireBrokerAsync(RabbitMqOptions rabbitMq, CancellationToken cancellationToken) =>
        WaitForAsync(
            "broker",
            $"Asking RabbitMQ at {rabbitMq.Describe()}.",
            new Outage(time, logger.BrokerAway, away => logger.BrokerBack(away.TotalSeconds)),
            () => QueueTopology.FindFaultAsync(rabbitMq, cancellationToken),
            cancellationToken
        );

    private async Task WaitForAsync(
        string stage,
        string asking,
        Outage outage,
        Func<Task<string?>> findFault,
        CancellationToken cancellationToken
    )
    {
        health.Await(stage, asking);
        while (true)
        {
            var asked = time.GetTimestamp();
            if (await findFault() is not { } fault)
            {
                outage.Back(asked);
                return;
            }

            outage.Away(fault);
            health.Await(stage, fault);
            await Task.Delay(Pause, time, cancellationToken);
        }
    }
}
