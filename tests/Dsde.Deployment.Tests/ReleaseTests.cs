using Dsde.Testing;

namespace Dsde.Deployment.Tests;

/// <summary>The life of a release, from its installation to its end, by the real helm.</summary>
public sealed class ReleaseTests(PostgresServer postgres) : IClassFixture<PostgresServer>
{
    [Fact]
    public async Task Uninstalling_leaves_nothing_behind_least_of_all_a_password()
    {
        await using var cluster = await ObjectStore.StartAsync(await postgres.CreateDatabaseAsync());
        await cluster.HelmAsync(["install", "jobs", Chart.Folder, .. Given("first")]);
        cluster.Single("Secret").ToJsonString().ShouldContain("first");

        await cluster.HelmAsync("uninstall", "jobs");

        cluster.Objects.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_migration_runs_before_anything_changes_with_a_secret_that_goes_with_it()
    {
        await using var cluster = await ObjectStore.StartAsync(await postgres.CreateDatabaseAsync());

        await cluster.HelmAsync(["install", "jobs", Chart.Folder, .. Given("first")]);
        await cluster.HelmAsync(["upgrade", "jobs", Chart.Folder, .. Given("second"), "--set", "migration.backoffLimit=7"]);

        cluster.Changes.Count(change => change == "apply Job/jobs-dsde-migration").ShouldBe(2); // made anew: no field of it is immutable
        var all = cluster.Changes.ToList();
        var upgrade = all[(all.FindIndex(IsOfWorkers) + 1)..];
        foreach (var changes in new[] { all, upgrade })
        {
            changes.IndexOf("apply Secret/jobs-dsde-migration").ShouldBeInRange(0, changes.IndexOf("apply Job/jobs-dsde-migration"));
            var gone = changes.IndexOf("delete Secret/jobs-dsde-migration");
            gone.ShouldBeInRange(changes.IndexOf("apply Job/jobs-dsde-migration"), changes.FindIndex(IsOfWorkers));
        }

        cluster.Objects.ShouldAllBe(kept => !((string?)kept["metadata"]!["name"])!.EndsWith("-migration"));

        static bool IsOfWorkers(string change) => change.EndsWith("Deployment/jobs-dsde-default", StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_installation_whose_migration_fails_leaves_the_migrations_job_and_no_password()
    {
        await using var cluster = await ObjectStore.StartAsync(await postgres.CreateDatabaseAsync(), jobsFail: true);

        var error = await cluster.FailAsync(["install", "jobs", Chart.Folder, .. Given("first")]);

        error.ShouldContain("jobs-dsde-migration");
        cluster.Objects.Select(kept => $"{kept["kind"]}").ShouldBe(["Job"]); // what it said can be read
    }

    [Fact]
    public async Task What_a_killed_installation_left_of_the_migration_goes_with_the_next_or_with_the_release()
    {
        await using var cluster = await ObjectStore.StartAsync(await postgres.CreateDatabaseAsync());
        await cluster.HelmAsync(["install", "jobs", Chart.Folder, .. Given("first")]);
        cluster.Put(
            "/api/v1/namespaces/default/secrets/jobs-dsde-migration",
            """{ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "jobs-dsde-migration", "namespace": "default" } }"""
        );

        await cluster.HelmAsync("uninstall", "jobs");

        cluster.Objects.ShouldBeEmpty();
    }

    /// <summary>The chart as it was before there were pools, with a Deployment and a ConfigMap of the release's name.</summary>
    [Fact]
    public async Task A_release_of_the_chart_before_is_upgraded_and_nothing_of_it_that_can_not_change_is_changed()
    {
        await using var cluster = await ObjectStore.StartAsync(await postgres.CreateDatabaseAsync());
        var before = Repository.PathOf("tests", "Dsde.Deployment.Tests", "PreviousChart");
        await cluster.HelmAsync(["install", "jobs", before, .. Given("first")]);
        var kept = cluster.Objects.ToDictionary(NameOf, made => made.DeepClone().AsObject());

        await cluster.HelmAsync(["upgrade", "jobs", Chart.Folder, .. Given("first"), "--reset-values"]);

        var both = cluster.Objects.Where(made => kept.ContainsKey(NameOf(made))).ToList();
        both.Select(NameOf).ShouldContain("Service/jobs-dsde");
        foreach (var made in both)
        {
            // Of what the chart has, these can't change: selector of a Deployment, template of a Job, type of a Secret, claims of volumes.
            var earlier = kept[NameOf(made)];
            Immutable(made).ShouldBe(Immutable(earlier), NameOf(made));
        }

        cluster.Objects.Select(NameOf).ShouldNotContain("Deployment/jobs-dsde"); // its pods go when the pool's are there
        cluster.Single("Deployment")["metadata"]!["name"]!.ToString().ShouldBe("jobs-dsde-default");

        static string NameOf(System.Text.Json.Nodes.JsonObject made) => $"{made["kind"]}/{made["metadata"]!["name"]}";
        static string Immutable(System.Text.Json.Nodes.JsonObject made) =>
            (string?)made["kind"] switch
            {
                "Deployment" => $"{made["spec"]!["selector"]?.ToJsonString()}",
                "Job" => $"{made["spec"]!.ToJsonString()}",
                "Secret" => $"{made["type"]}",
                _ => "",
            };
    }

    [Fact]
    public async Task An_upgrade_of_a_pool_changes_nothing_of_it_that_can_not_change()
    {
        var plain = await Chart.RenderAsync();
        var changed = await Chart.RenderAsync(
            Chart.Secrets
                + "worker: { podLabels: { a: b }, replicas: 3 }\nsettings: { Dsde__Engine__BatchSize: 16 }\nimage: { tag: other }\n"
        );

        changed["Deployment"].At("spec", "selector").ShouldBe(plain["Deployment"].At("spec", "selector"));
        changed["Deployment"].At("metadata", "name").ShouldBe(plain["Deployment"].At("metadata", "name"));
        changed["Deployment"].At("spec", "template").ShouldNotBe(plain["Deployment"].At("spec", "template"));
    }

    [Fact]
    public async Task A_rollback_brings_back_settings_and_secrets_and_restarts_the_pods_for_them()
    {
        await using var cluster = await ObjectStore.StartAsync(await postgres.CreateDatabaseAsync());
        await cluster.HelmAsync(["install", "jobs", Chart.Folder, .. Given("first")]);
        var good = Parts(cluster);
        await cluster.HelmAsync(["upgrade", "jobs", Chart.Folder, .. Given("second"), "--set", "settings.Dsde__Engine__BatchSize=0"]);
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
