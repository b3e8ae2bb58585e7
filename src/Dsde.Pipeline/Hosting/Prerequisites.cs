using Dsde.Persistence;
using Dsde.Persistence.Migrating;
using Dsde.Pipeline.Messaging;
using Dsde.Pipeline.Resilience;

namespace Dsde.Pipeline.Hosting;

/// <summary>
/// Waits for what a worker can't do without, before it loads its models, which may take minutes. A service waits for its servers; a schema
/// that is not its own waits for no one.
/// </summary>
internal sealed class Prerequisites(WorkerHealth health, DatabasePatience database, BrokerPatience broker)
{
    /// <summary>Returns when the database answers and has this program's schema.</summary>
    /// <exception cref="ExpectedFailureException">The schema is older or newer.</exception>
    public async Task RequireDatabaseAsync(IDatabaseMigrator migrator, CancellationToken cancellationToken)
    {
        health.Await("database", $"Asking {migrator.Database}.");
        var schema = await database.RunAsync(
            async () =>
            {
                try
                {
                    return await migrator.InspectAsync(cancellationToken);
                }
                catch (DatabaseUnavailableException exception)
                {
                    health.Await("database", exception.Message);
                    throw;
                }
            },
            cancellationToken
        );
        if (schema.Problem is { } problem)
        {
            throw new ExpectedFailureException(problem);
        }
    }

    /// <summary>Returns when the broker answers and has the queues, those of the worker's models included.</summary>
    public Task RequireBrokerAsync(RabbitMqOptions rabbitMq, IReadOnlyCollection<string> models, CancellationToken cancellationToken)
    {
        health.Await("broker", $"Asking RabbitMQ at {rabbitMq.Describe()}.");
        return broker.WaitUntilSoundAsync(
            () => new QueueTopology(rabbitMq, models).FindFaultAsync(cancellationToken),
            fault => health.Await("broker", fault),
            cancellationToken
        );
    }
}
