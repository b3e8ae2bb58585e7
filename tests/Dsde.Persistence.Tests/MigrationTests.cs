using Dsde.Persistence.Migrating;
using Dsde.Testing;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Tests;

/// <summary>How a schema comes into being, and what is said when it and the program don't fit; on each database.</summary>
public abstract class MigrationContract
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Of a database that does not exist yet.</summary>
    protected abstract PersistenceOptions OptionsOfNone();

    [Fact]
    public async Task A_database_that_does_not_exist_has_no_schema_and_gets_one_once()
    {
        await using var database = TestDatabase.WithoutSchema(OptionsOfNone());

        var before = await database.Migrator.InspectAsync(Cancellation);
        var applied = await database.Migrator.MigrateAsync(Cancellation);
        var again = await database.Migrator.MigrateAsync(Cancellation);
        var after = await database.Migrator.InspectAsync(Cancellation);

        (before.State, before.Unknown.Count).ShouldBe((SchemaState.Missing, 0));
        before.Problem.ShouldNotBeNull().ShouldContain("Run: dsde db migrate");
        before.Pending.ShouldHaveSingleItem().ShouldEndWith("_Initial");
        applied.ShouldBe(before.Pending);
        again.ShouldBeEmpty();
        (after.State, after.Problem, after.Pending.Count).ShouldBe((SchemaState.UpToDate, null, 0));
    }

    [Fact]
    public async Task Several_that_migrate_at_once_a_database_that_does_not_exist_all_succeed()
    {
        var options = OptionsOfNone();

        await Task.WhenAll(
            Enumerable
                .Range(0, 4)
                .Select(_ =>
                    Task.Run(async () =>
                    {
                        await using var one = TestDatabase.WithoutSchema(options);
                        var migrating = one.Migrator.MigrateAsync(Cancellation);
                        while (!migrating.IsCompleted)
                        {
                            one.Time.Advance(TimeSpan.FromSeconds(1));
                            await Task.WhenAny(migrating, Task.Delay(10, Cancellation));
                        }

                        await migrating;
                    })
                )
        );

        await using var database = TestDatabase.WithoutSchema(options);
        (await database.Migrator.InspectAsync(Cancellation)).State.ShouldBe(SchemaState.UpToDate);
    }

    [Fact]
    public async Task A_schema_that_a_newer_program_made_is_told_from_one_that_is_up_to_date_and_both_versions_are_named()
    {
        await using var database = TestDatabase.WithoutSchema(OptionsOfNone());
        await database.Migrator.MigrateAsync(Cancellation);
        await using var context = database.CreateContext();
        await context.Database.ExecuteSqlRawAsync(
            "INSERT INTO \"__EFMigrationsHistory\" VALUES ('29990101000000_Later', '99.0')",
            Cancellation
        );

        var schema = await database.Migrator.InspectAsync(Cancellation);

        schema.State.ShouldBe(SchemaState.Ahead);
        schema.Unknown.ShouldBe(["29990101000000_Later"]);
        schema.Problem.ShouldNotBeNull().ShouldContain("29990101000000_Later");
        schema.Problem.ShouldContain(schema.ProgramVersion);
        schema.ProgramVersion.ShouldEndWith("_Initial");
    }
}

public sealed class PostgresMigrationTests(PostgresServer server) : MigrationContract
{
    protected override PersistenceOptions OptionsOfNone() =>
        new() { ConnectionString = server.ConnectionString($"none_{Guid.NewGuid():N}") };

    [Fact]
    public async Task A_database_that_can_not_be_reached_is_named_without_its_password()
    {
        await using var database = TestDatabase.WithoutSchema(
            new PersistenceOptions { ConnectionString = "Host=127.0.0.1;Port=1;Database=nowhere;Username=dsde;Password=secret" }
        );

        var failure = await Should.ThrowAsync<DatabaseUnavailableException>(() =>
            database.Migrator.InspectAsync(TestContext.Current.CancellationToken)
        );

        failure.Message.ShouldContain("nowhere on 127.0.0.1:1");
        failure.Message.ShouldNotContain("secret");
    }
}

public sealed class SqliteMigrationTests : MigrationContract, IDisposable
{
    private readonly ScratchFolder _folder = new("sqlite");

    public void Dispose()
    {
        SqliteConnection.ClearAllPools(); // they keep files open
        _folder.Dispose();
    }

    protected override PersistenceOptions OptionsOfNone() =>
        new() { Provider = PersistenceOptions.Sqlite, ConnectionString = $"Data Source={_folder.PathOf("dsde.db")}" };
}
