using System.Text.RegularExpressions;
using Dsde.Testing;

namespace Dsde.Deployment.Tests;

/// <summary>Values: what is refused, and what is said of them.</summary>
public sealed partial class ChartValuesTests
{
    [Theory]
    [InlineData("replicas=3", "additional properties 'replicas' not allowed")]
    [InlineData("pools.default.replica=3", "at '/pools/default': additional properties 'replica' not allowed")]
    [InlineData("pools.default.replicas=many", "at '/pools/default/replicas': got string, want integer")]
    [InlineData("pools.default.replicas=1.5", "at '/pools/default/replicas'")]
    [InlineData("worker.autoscaling.mode=kda", "at '/worker/autoscaling/mode': value must be one of 'none', 'keda', 'hpa'")]
    [InlineData("pools.Big.models={a}", "'Big' does not match pattern")]
    [InlineData("pools.default.models={a b}", "at '/pools/default/models/0'")]
    [InlineData("settings.Dsde__Enginee__BatchSize=8", "at '/settings': additional properties 'Dsde__Enginee__BatchSize' not allowed")]
    [InlineData("settings.Dsde__Worker__Models__0=a", "at '/settings': additional properties 'Dsde__Worker__Models__0' not allowed")]
    [InlineData("settings.Dsde__RabbitMq__Password=a", "at '/settings': additional properties 'Dsde__RabbitMq__Password' not allowed")]
    [InlineData("pools.default.settings.Dsde__Worker__Drain=8", "at '/pools/default/settings'")]
    [InlineData("settings.Dsde__Engine__Policy={a,b}", "at '/settings/Dsde__Engine__Policy': got array")]
    [InlineData("networkPolicy.databasePort=0", "at '/networkPolicy/databasePort'")]
    [InlineData("monitoring.podMonitor.interval=often", "at '/monitoring/podMonitor/interval'")]
    [InlineData("worker.autoscaling.managementUrl=http://user:password@host", "at '/worker/autoscaling/managementUrl'")]
    [InlineData("pools.other.replicas=1", "pools.other.models is empty")]
    [InlineData("settings.Dsde__Worker__HealthPort=none", "settings.Dsde__Worker__HealthPort is \"none\", and takes a whole number")]
    [InlineData("settings.Dsde__RabbitMq__Host=null", "settings.Dsde__RabbitMq__Host has no value")]
    [InlineData(
        "worker.autoscaling.mode=keda,worker.autoscaling.cooldownSeconds=20",
        "pools.default.autoscaling.cooldownSeconds is 20, and has to be longer than settings.Dsde__Worker__DrainSeconds, 30"
    )]
    [InlineData("worker.autoscaling.mode=keda,worker.autoscaling.minReplicas=9", "pools.default.autoscaling.maxReplicas is 4")]
    [InlineData("worker.autoscaling.mode=hpa,worker.autoscaling.minReplicas=0", "pools.default.autoscaling.minReplicas is 0")]
    [InlineData("worker.autoscaling.mode=keda,settings.Dsde__RabbitMq__Username=null", "settings.Dsde__RabbitMq__Username is missing")]
    [InlineData("worker.modelVolume.fetch.image=a", "pools.default.modelVolume.fetch.command is empty")]
    [InlineData(
        "worker.modelVolume.existingClaim=a,worker.modelVolume.fetch.image=b,worker.modelVolume.fetch.command={c}",
        "pools.default.modelVolume has both existingClaim and fetch.image"
    )]
    public async Task A_value_that_can_not_be_is_refused_by_its_name(string given, string message) =>
        (await Chart.RefuseAsync(Chart.Secrets, "--set", given)).ShouldContain(message);

    [Theory]
    [InlineData("secrets: {}", "secrets.Dsde__Persistence__ConnectionString is missing")]
    [InlineData("secrets: { Dsde__Persistence__ConnectionString: a }", "secrets.Dsde__RabbitMq__Password is missing")]
    public async Task Secrets_that_are_missing_are_asked_for(string values, string message) =>
        (await Chart.RefuseAsync(values)).ShouldContain(message);

    [Fact]
    public async Task The_readme_says_of_every_value_what_its_comment_says()
    {
        var made = await Command.RunAsync([Repository.PathOf("eng", "chart-readme.sh")]);

        made.ExitCode.ShouldBe(0, made.Error);
        File.ReadAllText(Path.Combine(Chart.Folder, "README.md")).ShouldBe(made.Output, "run eng/chart-readme.sh > helm/dsde/README.md");
        made.Output.Split('\n').Where(line => UndescribedRow().IsMatch(line)).ShouldBeEmpty("these values have no comment");
    }

    [Fact]
    public void Every_key_of_the_values_is_in_the_schema()
    {
        var schema = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(Path.Combine(Chart.Folder, "values.schema.json")))!;
        var described = File.ReadAllLines(Path.Combine(Chart.Folder, "README.md"))
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal) && !line.StartsWith("| `settings.", StringComparison.Ordinal))
            .Select(line => line.Split('`')[1]);

        foreach (var value in described)
        {
            var at = schema;
            foreach (var (depth, part) in value.Split('.').Index())
            {
                var isPool = depth == 1 && value.StartsWith("pools.", StringComparison.Ordinal);
                at = Resolve(isPool ? at["additionalProperties"] : at["properties"]?[part])
                    .ShouldNotBeNull($"{value} is not in values.schema.json");
            }
        }

        System.Text.Json.Nodes.JsonNode? Resolve(System.Text.Json.Nodes.JsonNode? node) =>
            (string?)node?["$ref"] is { } reference ? schema["$defs"]![reference[(reference.LastIndexOf('/') + 1)..]] : node;
    }

    [GeneratedRegex(@"^\| `[^`]+` \| [^|]* \|\s*\|$")]
    private static partial Regex UndescribedRow();
}
