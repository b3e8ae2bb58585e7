using System.Globalization;
using Dsde.Testing;

namespace Dsde.Deployment.Tests;

/// <summary>Everything that the chart can render is what Kubernetes, KEDA and the Prometheus operator take.</summary>
public sealed class ChartSchemaTests
{
    /// <summary>Every switch by itself, with what it needs to be one.</summary>
    private static readonly string[] Switches =
    [
        "pools.default.replicas=0",
        "pools.default.strategy.type=Recreate",
        "pools.default.strategy.rollingUpdate.maxSurge=25%,pools.default.strategy.rollingUpdate.maxUnavailable=0",
        "pools.default.preStopSeconds=0",
        "pools.default.image.tag=other",
        "pools.default.resources.limits.nvidia\\.com/gpu=1",
        "pools.default.nodeSelector.disk=fast",
        "pools.default.tolerations[0].key=gpu,pools.default.tolerations[0].operator=Exists",
        "pools.default.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey=zone",
        "pools.default.topologySpreadConstraints[0].maxSkew=1,pools.default.topologySpreadConstraints[0].topologyKey=zone,"
            + "pools.default.topologySpreadConstraints[0].whenUnsatisfiable=DoNotSchedule",
        "pools.default.priorityClassName=batch",
        "pools.default.runtimeClassName=nvidia",
        "pools.default.podLabels.team=text",
        "pools.default.podAnnotations.note=text",
        "pools.default.extraEnv[0].name=DOTNET_gcServer,pools.default.extraEnv[0].value=text",
        "pools.default.extraEnv[0].name=TOKEN,pools.default.extraEnv[0].valueFrom.secretKeyRef.name=a,"
            + "pools.default.extraEnv[0].valueFrom.secretKeyRef.key=b",
        "pools.default.extraVolumes[0].name=cache,pools.default.extraVolumes[0].emptyDir.medium=Memory,"
            + "pools.default.extraVolumeMounts[0].name=cache,pools.default.extraVolumeMounts[0].mountPath=/cache",
        "pools.default.modelVolume.existingClaim=models",
        "pools.default.modelVolume.fetch.image=store:1,pools.default.modelVolume.fetch.command={copy,/models}",
        "pools.default.modelVolume.fetch.image=store:1,pools.default.modelVolume.fetch.command={copy},"
            + "pools.default.modelVolume.fetch.existingSecret=login,pools.default.modelVolume.fetch.env[0].name=A,"
            + "pools.default.modelVolume.fetch.env[0].value=b",
        "pools.default.probes.livenessPeriodSeconds=20,pools.default.probes.readinessPeriodSeconds=20",
        "pools.default.autoscaling.mode=keda",
        "pools.default.autoscaling.mode=keda,pools.default.autoscaling.minReplicas=0,pools.default.autoscaling.cooldownSeconds=7200",
        "pools.default.autoscaling.mode=keda,pools.default.autoscaling.pollingSeconds=5,pools.default.autoscaling.fallbackReplicas=0",
        "pools.default.autoscaling.mode=hpa",
        "pools.default.autoscaling.mode=hpa,pools.default.autoscaling.metrics[0].type=Pods,"
            + "pools.default.autoscaling.metrics[0].pods.metric.name=dsde_sequences_waiting,"
            + "pools.default.autoscaling.metrics[0].pods.target.type=AverageValue,"
            + "pools.default.autoscaling.metrics[0].pods.target.averageValue=4",
        "pools.default.podDisruptionBudget.enabled=true",
        "pools.default.podDisruptionBudget.enabled=true,pools.default.podDisruptionBudget.maxUnavailable=25%",
        "pools.second.models={a,b.c},pools.third.models={d}",
        "pools.other.models={a}",
        "certificates.existingSecret=authorities",
        "existingSecret=mine",
        "imagePullSecrets[0].name=pull",
        "migration.enabled=false",
        "migration.existingSecret=owner",
        "migration.nodeSelector.disk=fast",
        "migration.tolerations[0].key=gpu,migration.tolerations[0].operator=Exists",
        "serviceAccount.create=false",
        "serviceAccount.name=mine",
        "networkPolicy.enabled=true",
        "networkPolicy.enabled=true,networkPolicy.collectorPort=0",
        "networkPolicy.enabled=true,networkPolicy.brokerPeers[0].ipBlock.cidr=203.0.113.0/28,"
            + "networkPolicy.databasePeers[0].namespaceSelector.matchLabels.name=data,"
            + "networkPolicy.dnsPeers[0].namespaceSelector.matchLabels.name=kube-system,"
            + "networkPolicy.collectorPeers[0].podSelector.matchLabels.name=collector,"
            + "networkPolicy.metricsPeers[0].podSelector.matchLabels.name=prometheus,"
            + "networkPolicy.extraEgress[0].ports[0].port=443",
        "monitoring.podMonitor.enabled=true,monitoring.podMonitor.labels.release=prometheus",
        "monitoring.prometheusRule.enabled=true,monitoring.prometheusRule.labels.release=prometheus",
    ];

    /// <summary>What each of them makes; rendered once for all tests.</summary>
    private static readonly Lazy<Task<IReadOnlyList<Manifest>>> Switched = new(RenderSwitchesAsync);

    [Fact]
    public async Task Every_values_file_and_every_switch_by_itself_makes_objects_that_their_schemas_take()
    {
        var manifests = new List<Manifest>();
        foreach (var file in Chart.ValuesFiles)
        {
            manifests.Add(await Chart.RenderAsync(Chart.Secrets, "jobs", "--values", Path.Combine(Chart.Folder, file)));
        }

        manifests.AddRange(await Switched.Value);

        var checkedAll = await Kubernetes.ValidateAsync(string.Join("\n---\n", manifests.Select(manifest => manifest.Text)));

        checkedAll.ShouldBe(new Ended(0, "", ""), "switchN is the Nth of the list");
    }

    [Fact]
    public async Task Every_switch_changes_what_is_rendered()
    {
        var plain = (await Chart.RenderAsync(Chart.Secrets, "switch")).Text;

        foreach (var (i, switched) in (await Switched.Value).Index())
        {
            switched.Text.Replace($"switch{i}", "switch", StringComparison.Ordinal).ShouldNotBe(plain, Switches[i]);
        }
    }

    [Fact]
    public async Task Every_switch_of_the_values_is_among_those_that_are_tried()
    {
        var tried = string.Join('\n', Switches)
            .Replace("pools.default.", "worker.", StringComparison.Ordinal)
            .Replace("\\.", ".", StringComparison.Ordinal);
        var files = string.Concat(Chart.ValuesFiles.Select(file => File.ReadAllText(Path.Combine(Chart.Folder, file))));
        var rows = (await File.ReadAllLinesAsync(Path.Combine(Chart.Folder, "README.md"), TestContext.Current.CancellationToken))
            .Where(line => line.StartsWith("| `worker.", StringComparison.Ordinal))
            .Select(line => line.Split('`')[1])
            .ToList();

        rows.Count.ShouldBeGreaterThan(30);
        rows.ShouldAllBe(value =>
            tried.Contains(value, StringComparison.Ordinal) || files.Contains(LastPart(value), StringComparison.Ordinal)
        );
    }

    /// <summary>All at once, because what checks them takes seconds to start.</summary>
    [Fact]
    public async Task Objects_that_no_schema_takes_are_found()
    {
        (string Right, string Wrong, string Message)[] faults =
        [
            ("cooldownPeriod: ", "cooldownPeriods: ", "ScaledObject/{0}-dsde-llama-8b: Object literal may only specify known properties"),
            ("podMetricsEndpoints:", "podMetricsEndpoint:", "PodMonitor/{0}-dsde: Object literal may only specify known properties"),
            ("readOnlyRootFilesystem:", "readOnly:", "Job/{0}-dsde-migration: Object literal may only specify known properties"),
            (
                "topologyKey:",
                "key:",
                "Deployment/{0}-dsde-llama-8b: data/spec/template/spec/topologySpreadConstraints/0 must have required"
            ),
            ("maxUnavailable: 1", "maxUnavailable: [1]", "PodDisruptionBudget/{0}-dsde-llama-8b: data/spec/maxUnavailable must be"),
        ];
        var values = Path.Combine(Chart.Folder, "values-gpu.yaml");
        var wrong = new List<string>();
        foreach (var (i, fault) in faults.Index())
        {
            var text = (await Chart.RenderAsync(Chart.Secrets, $"fault{i}", "--values", values)).Text;
            text.ShouldContain(fault.Right);
            wrong.Add(text.Replace(fault.Right, fault.Wrong, StringComparison.Ordinal));
        }

        var ended = await Kubernetes.ValidateAsync(string.Join("\n---\n", wrong));

        ended.ExitCode.ShouldBe(1, ended.Error);
        foreach (var (i, fault) in faults.Index())
        {
            ended.Output.ShouldContain(string.Format(CultureInfo.InvariantCulture, fault.Message, $"fault{i}"));
        }
    }

    private static async Task<IReadOnlyList<Manifest>> RenderSwitchesAsync()
    {
        var manifests = new List<Manifest>();
        foreach (var (i, given) in Switches.Index())
        {
            manifests.Add(await Chart.RenderAsync(Chart.Secrets, $"switch{i}", "--set", given));
        }

        return manifests;
    }

    private static string LastPart(string value) => value[(value.LastIndexOf('.') + 1)..] + ":";

    private static class Kubernetes
    {
        public static Task<Ended> ValidateAsync(string objects) =>
            Command.RunAsync([Repository.PathOf("eng", "validate-manifests.sh")], objects);
    }
}
