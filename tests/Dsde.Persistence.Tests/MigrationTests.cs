using Dsde.Persistence.Migrating;
using Dsde.Testing;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

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

        var applied = await Task.WhenAll(
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

                        return await migrating;
                    })
                )
        );

        applied.SelectMany(migrations => migrations).ShouldHaveSingleItem().ShouldEndWith("_Initial"); // by one of them
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
        (await Should.ThrowAsync<UnfitDatabaseException>(() => database.Migrator.MigrateAsync(Cancellation))).Message.ShouldBe(
            schema.Problem
        );
    }

    [Theory]
    [InlineData("DROP TABLE \"__EFMigrationsHistory\"", "acceptance_by_group, acceptance_by_policy, acceptance_by_workload and ")]
    [InlineData("DELETE FROM \"__EFMigrationsHistory\"", "no migration history")]
    [InlineData("UPDATE \"__EFMigrationsHistory\" SET migration_id = '20200101000000_Shop'", "20200101000000_Shop")]
    [InlineData("ALTER TABLE \"__EFMigrationsHistory\" RENAME COLUMN migration_id TO id", "another program's")]
    [InlineData("DROP TABLE job_checkpoints", "lacks job_checkpoints, which")]
    [InlineData("ALTER TABLE job_checkpoints RENAME COLUMN state TO contents", "lacks job_checkpoints.state, which")]
    [InlineData("DROP VIEW worker_throughput", "lacks worker_throughput, which")]
    public async Task A_schema_that_is_not_the_programs_is_refused_and_left_as_it_is(string change, string reason)
    {
        await using var database = TestDatabase.WithoutSchema(OptionsOfNone());
        await database.Migrator.MigrateAsync(Cancellation);
        await using var context = database.CreateContext();
        await context.Database.ExecuteSqlRawAsync(change, Cancellation);

        var schema = await database.Migrator.InspectAsync(Cancellation);

        schema.State.ShouldBe(SchemaState.Foreign);
        schema.Problem.ShouldNotBeNull().ShouldContain(reason);
        schema.Problem.ShouldContain("database");
        (await Should.ThrowAsync<UnfitDatabaseException>(() => database.Migrator.MigrateAsync(Cancellation))).Message.ShouldBe(
            schema.Problem
        );
    }

    [Fact]
    public async Task Tables_of_the_same_names_that_differ_are_not_migrated()
    {
        await using var database = TestDatabase.WithoutSchema(OptionsOfNone());
        await database.Migrator.MigrateAsync(Cancellation);
        await using var context = database.CreateContext();
        await context.Database.EnsureDeletedAsync(Cancellation);
        await context.GetService<IRelationalDatabaseCreator>().CreateAsync(Cancellation);
        await context.Database.ExecuteSqlRawAsync("CREATE TABLE workers (name text)", Cancellation);
        await context.Database.ExecuteSqlRawAsync("CREATE TABLE shop (name text)", Cancellation);

        var refusal = await Should.ThrowAsync<UnfitDatabaseException>(() => database.Migrator.MigrateAsync(Cancellation));

        refusal.Message.ShouldContain(" has workers, which this program would make");
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

    [Fact]
    public async Task A_file_that_is_no_database_is_named_with_what_is_wrong_with_it()
    {
        var path = _folder.Write("notes.txt", "This is no database at all, but a text that is long enough to be taken for one.");
        await using var database = TestDatabase.WithoutSchema(
            new PersistenceOptions { Provider = PersistenceOptions.Sqlite, ConnectionString = $"Data Source={path}" }
        );

        var failure = await Should.ThrowAsync<UnfitDatabaseException>(() =>
            database.Migrator.MigrateAsync(TestContext.Current.CancellationToken)
        );

        failure.Message.ShouldContain(path);
        failure.Message.ShouldContain("file is not a database");
    }
}
