using Dsde.Testing;

namespace Dsde.Deployment.Tests;

/// <summary>The life of a release, from its installation to its end, by the real helm.</summary>
public sealed class ReleaseTests(PostgresServer postgres) : IClassFixture<PostgresServer>
{
    private static readonly string ChartFolder = Repository.PathOf("helm", "dsde");

    [Fact]
    public async Task Uninstalling_leaves_nothing_behind_least_of_all_a_password()
    {
        await using var cluster = await ObjectStore.StartAsync(await postgres.CreateDatabaseAsync());
        await cluster.HelmAsync(["install", "jobs", ChartFolder, .. Given("first")]);
        cluster.Single("Secret").ToJsonString().ShouldContain("first");

        await cluster.HelmAsync("uninstall", "jobs");

        cluster.Objects.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_rollback_brings_back_settings_and_secrets_and_restarts_the_pods_for_them()
    {
        await using var cluster = await ObjectStore.StartAsync(await postgres.CreateDatabaseAsync());
        await cluster.HelmAsync(["install", "jobs", ChartFolder, .. Given("first")]);
        var good = Parts(cluster);
        await cluster.HelmAsync(["upgrade", "jobs", ChartFolder, .. Given("second"), "--set", "settings.Dsde__Engine__BatchSize=0"]);
        var bad = Parts(cluster);
        bad.ShouldAllBe(part => !good.Contains(part));

        await cluster.HelmAsync("rollback", "jobs", "1");

        Parts(cluster).ShouldBe(good);
    }

    /// <summary>Secrets; and no look at the cluster's schemas, which the store doesn't have.</summary>
    private static string[] Given(string password) =>
        [
            "--disable-openapi-validation",
            "--set",
            $"secrets.Dsde__RabbitMq__Password={password},secrets.Dsde__Persistence__ConnectionString=Host={password}",
        ];

    private static string[] Parts(ObjectStore cluster) =>
        [
            cluster.Single("ConfigMap")["data"]!.ToJsonString(),
            cluster.Single("Secret")["stringData"]!.ToJsonString(),
            cluster.Single("Deployment")["spec"]!["template"]!.ToJsonString(),
        ];
}
