using Dsde.Experiments;
using Dsde.Persistence.Migrating;
using Dsde.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Dsde.Benchmarks.Tests.Experiments;

/// <summary>The databases that the experiment reads.</summary>
public sealed class CellDataTests
{
    [Theory]
    [InlineData("plain")]
    [InlineData("a \"quoted\"; name")]
    public async Task The_database_of_a_run_is_that_in_its_folder_whatever_that_is_called(string name)
    {
        using var scratch = new ScratchFolder("experiment");
        var folder = scratch.PathOf(name);
        Directory.CreateDirectory(folder);
        await using var services = CellData.Open(folder);

        await services.GetRequiredService<IDatabaseMigrator>().MigrateAsync(TestContext.Current.CancellationToken);

        File.Exists(Path.Combine(folder, "dsde.db")).ShouldBeTrue();
    }
}
