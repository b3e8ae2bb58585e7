using System.CommandLine;
using Dsde.Persistence;
using Dsde.Persistence.Migrating;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Worker.Cli;

/// <summary><c>dsde db migrate</c>, <c>dsde db status</c> and <c>dsde db prune</c>.</summary>
internal sealed class DbCommand : DsdeCommand
{
    public DbCommand()
        : base("db", "Look after the database.")
    {
        var migrate = new DsdeCommand(
            "migrate",
            "Create the database's tables and views, or bring them up to date.",
            "dsde db migrate",
            "dsde db migrate --provider sqlite --connection 'Data Source=dsde.db'"
        );
        var status = new DsdeCommand("status", "Say whether the schema is up to date; exit code 1 if not.", "dsde db status");
        var database = new DatabaseArguments();
        database.AddTo(migrate);
        database.AddTo(status);
        migrate.SetAction(
            (arguments, cancellationToken) =>
                MigrateAsync(database.Read(arguments), arguments.InvocationConfiguration.Output, cancellationToken)
        );
        status.SetAction(
            (arguments, cancellationToken) =>
                ShowAsync(database.Read(arguments), arguments.InvocationConfiguration.Output, cancellationToken)
        );
        Add(migrate);
        Add(status);
        Add(new DbPruneCommand());
    }

    private static async Task<int> MigrateAsync(PersistenceOptions options, TextWriter output, CancellationToken cancellationToken)
    {
        await using var services = CreateServices(options);
        var migrator = services.GetRequiredService<IDatabaseMigrator>();
        var applied = await migrator.MigrateAsync(cancellationToken);
        foreach (var migration in applied)
        {
            await output.WriteLineAsync($"applied {migration}");
        }

        await output.WriteLineAsync($"{migrator.Database} is up to date");
        return ExitCodes.Success;
    }

    private static async Task<int> ShowAsync(PersistenceOptions options, TextWriter output, CancellationToken cancellationToken)
    {
        await using var services = CreateServices(options);
        var migrator = services.GetRequiredService<IDatabaseMigrator>();
        var schema = await migrator.InspectAsync(cancellationToken);
        foreach (var migration in schema.Pending)
        {
            await output.WriteLineAsync($"pending {migration}");
        }

        foreach (var migration in schema.Unknown)
        {
            await output.WriteLineAsync($"unknown {migration}");
        }

        await output.WriteLineAsync(schema.Problem ?? $"{schema.Database} is up to date");
        return schema.Problem is null ? ExitCodes.Success : ExitCodes.JobsFailed;
    }

    public static ServiceProvider CreateServices(PersistenceOptions options) =>
        new ServiceCollection().AddSingleton(TimeProvider.System).AddDsdePersistence(options).BuildServiceProvider();
}
