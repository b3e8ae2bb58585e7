using Dsde.Testing;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Dsde.Deployment.Tests;

/// <summary>What the chart makes of values, by the real helm.</summary>
public sealed class ChartTests
{
    /// <summary>Numbers wherever values take them: helm reads those of files as floating-point numbers.</summary>
    private const string Numbers = """
        image: { repository: registry.example.org/dsde, tag: 20261126 }
        imagePullSecrets: [{ name: pull }]
        settings:
          Dsde__Worker__MaxJobBytes: 4194304
          Dsde__Worker__DrainSeconds: 7100000
          Dsde__Worker__StoreOutputs: false
          Dsde__Engine__KvCacheMegabytes: 1048576
          Dsde__RabbitMq__Port: 5671
          Dsde__Worker__HealthPort: 18080
          OMP_SOMETHING: 0.25
        secrets:
          Dsde__RabbitMq__Password: 12345678
          Dsde__Persistence__ConnectionString: Host=a
        certificates: { existingSecret: 2000000 }
        serviceAccount: { name: 3000000 }
        migration: { backoffLimit: 1000000, activeDeadlineSeconds: 7200000, nodeSelector: { example.org/generation: 4194304 } }
        monitoring: { podMonitor: { enabled: true, labels: { release: 4194304 } } }
        networkPolicy: { enabled: true }
        worker:
          replicas: 1000000
          preStopSeconds: 3600000
          podAnnotations: { prometheus.io/port: 18080, prometheus.io/scrape: true, example.org/number: 4194304 }
          podLabels: { example.org/number: 4194304 }
          nodeSelector: { example.org/generation: 4194304, example.org/gpu: true }
          tolerations: [{ key: gpu, operator: Exists, effect: NoExecute, tolerationSeconds: 3600000 }]
          priorityClassName: 5000000
        pools:
          default:
            models: [dsde-demo, "20261126"]
            modelVolume: { existingClaim: 1000000 }
            settings: { Dsde__Engine__BatchSize: 1048576 }
            resources: { limits: { nvidia.com/gpu: 1, example.org/units: 4194304 } }
          scaled:
            models: [scaled]
            autoscaling: { mode: keda, jobsPerWorker: 4194304, cooldownSeconds: 7200000, maxReplicas: 1000000 }

        """;

    private const string Everything = """
        existingSecret: my-secrets
        imagePullSecrets: [{ name: pull }]
        certificates: { existingSecret: authorities }
        serviceAccount: { create: false }
        migration: { enabled: false }
        worker:
          affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } }
          modelVolume: { existingClaim: folders }

        """;

    public static TheoryData<string> Values => [Chart.Secrets, Numbers, Everything];

    [Theory]
    [MemberData(nameof(Values))]
    public async Task Helm_finds_nothing_to_say_against_the_chart(string values)
    {
        var ended = await Chart.HelmAsync(values, "lint", "--strict", Repository.PathOf("helm", "dsde"));

        ended.ExitCode.ShouldBe(0, ended.Output + ended.Error);
    }

    [Theory]
    [MemberData(nameof(Values))]
    public async Task Every_object_but_the_migrations_belongs_to_the_release_so_that_none_outlives_it(string values)
    {
        var manifest = await Chart.RenderAsync(values);

        manifest.Objects.ShouldNotBeEmpty();
        foreach (var made in manifest.Objects)
        {
            // Hooks, and what a policy keeps, are left behind by an uninstallation and not touched by a rollback.
            (made.Find("metadata", "annotations")?.Texts() ?? [])
                .Keys.Any(key => key.StartsWith("helm.sh/", StringComparison.Ordinal))
                .ShouldBe(made.Text("metadata", "name") == "jobs-dsde-migration", made.Text("metadata", "name"));
            made.Text("metadata", "labels", "app.kubernetes.io/instance").ShouldBe("jobs");
        }
    }

    [Theory]
    [MemberData(nameof(Values))]
    public async Task No_number_is_printed_with_an_exponent_and_no_text_as_a_number(string values)
    {
        var manifest = await Chart.RenderAsync(values, release: "1000000");

        manifest.Text.ShouldNotMatch(@"[\s""]\d(\.\d+)?e\+\d+");
        foreach (var made in manifest.Objects)
        {
            PlainTexts(made, isTexts: false).ShouldBeEmpty(made.Text("kind"));
        }
    }

    [Fact]
    public async Task Numbers_of_a_values_file_arrive_as_they_were_written()
    {
        var manifest = (await Chart.RenderAsync(Numbers)).OfPool("default");

        manifest.Environment.ShouldContainKeyAndValue("Dsde__Worker__MaxJobBytes", "4194304");
        manifest.Environment.ShouldContainKeyAndValue("Dsde__Worker__StoreOutputs", "false");
        manifest.Environment.ShouldContainKeyAndValue("Dsde__Engine__KvCacheMegabytes", "1048576");
        manifest.Environment.ShouldContainKeyAndValue("OMP_SOMETHING", "0.25");
        manifest.Environment.ShouldContainKeyAndValue("Dsde__RabbitMq__Password", "12345678");
        manifest["Deployment"].Text("spec", "replicas").ShouldBe("1000000");
        manifest.Pod.Text("spec", "terminationGracePeriodSeconds").ShouldBe($"{3600000 + 7100000 + 15}");
        manifest.Environment.ShouldContainKeyAndValue("Dsde__Engine__BatchSize", "1048576");
        manifest.Pod.Text("spec", "serviceAccountName").ShouldBe("3000000");
        manifest.Pod.Text("metadata", "annotations", "example.org/number").ShouldBe("4194304");
        manifest.Pod.Text("spec", "nodeSelector", "example.org/generation").ShouldBe("4194304");
        manifest.Pod.At("spec", "tolerations").Items().Single().Text("tolerationSeconds").ShouldBe("3600000");
        manifest.Worker.Text("image").ShouldBe("registry.example.org/dsde:20261126");
        manifest.Worker.At("ports").Items().Single().Text("containerPort").ShouldBe("18080");
        manifest.Worker.Text("resources", "limits", "example.org/units").ShouldBe("4194304");
    }

    [Fact]
    public async Task Numbers_of_the_command_line_arrive_as_they_were_written()
    {
        var manifest = await Chart.RenderAsync(
            Chart.Secrets,
            "jobs",
            "--set",
            "settings.Dsde__Worker__MaxJobBytes=4194304,settings.Dsde__Engine__Threads=16,pools.default.replicas=3,image.tag=20261126",
            "--set",
            "secrets.Dsde__RabbitMq__Password=12345678"
        );

        manifest.Environment.ShouldContainKeyAndValue("Dsde__Worker__MaxJobBytes", "4194304");
        manifest.Environment.ShouldContainKeyAndValue("Dsde__Engine__Threads", "16");
        manifest.Environment.ShouldContainKeyAndValue("Dsde__RabbitMq__Password", "12345678");
        manifest["Deployment"].Text("spec", "replicas").ShouldBe("3");
        manifest.Worker.Text("image").ShouldBe("dsde:20261126");
    }

    [Fact]
    public async Task No_container_has_a_token_or_rights_that_it_does_not_need()
    {
        var manifest = await Chart.RenderAsync();

        manifest["ServiceAccount"].Text("automountServiceAccountToken").ShouldBe("false");
        foreach (var pod in new[] { manifest.Pod, manifest.Of("Job").Single().At("spec", "template") })
        {
            pod.Text("spec", "automountServiceAccountToken").ShouldBe("false");
            pod.Text("spec", "securityContext", "runAsNonRoot").ShouldBe("true");
        }

        foreach (var container in new[] { manifest.Migration, manifest.Worker })
        {
            container.Text("securityContext", "allowPrivilegeEscalation").ShouldBe("false");
            container.Text("securityContext", "readOnlyRootFilesystem").ShouldBe("true");
            container.At("securityContext", "capabilities", "drop").Items().Single().ToString().ShouldBe("ALL");
        }
    }

    [Fact]
    public async Task Nothing_but_secrets_depends_on_secrets()
    {
        var manifests = new[]
        {
            await Chart.RenderAsync(Chart.Secrets),
            await Chart.RenderAsync(Chart.Secrets.Replace("password", "other", StringComparison.Ordinal)),
        };

        manifests[0]["Secret"].ShouldNotBe(manifests[1]["Secret"]);
        manifests[0]
            .Objects.Where(made => made.Text("kind") != "Secret")
            .ShouldBe(manifests[1].Objects.Where(made => made.Text("kind") != "Secret"));
    }

    [Fact]
    public async Task A_changed_setting_changes_the_pods_and_the_same_setting_as_a_number_does_not()
    {
        var before = await Chart.RenderAsync();
        var same = await Chart.RenderAsync(Chart.Secrets + "settings: { Dsde__Engine__BatchSize: 8 }");
        var changed = await Chart.RenderAsync(Chart.Secrets + "settings: { Dsde__Engine__BatchSize: 16 }");

        same.Pod.ShouldBe(before.Pod);
        changed.Pod.ShouldNotBe(before.Pod);
    }

    [Fact]
    public async Task A_setting_set_to_null_is_left_to_the_program()
    {
        var manifest = await Chart.RenderAsync(Chart.Secrets + "settings: { Dsde__Engine__Policy: null, Dsde__Engine__Threads: null }");

        manifest.Environment.Keys.ShouldNotContain("Dsde__Engine__Policy");
        manifest.Environment.Keys.ShouldNotContain("Dsde__Engine__Threads");
    }

    [Fact]
    public async Task Probes_and_service_lead_to_the_port_of_the_settings()
    {
        var manifest = await Chart.RenderAsync(Chart.Secrets + "settings: { Dsde__Worker__HealthPort: 9090 }");

        var port = manifest.Worker.At("ports").Items().Single();
        port.Text("containerPort").ShouldBe("9090");
        foreach (var probe in new[] { "livenessProbe", "readinessProbe" })
        {
            manifest.Worker.Text(probe, "httpGet", "port").ShouldBe(port.Text("name"));
        }

        manifest["Service"].At("spec", "ports").Items().Single().Text("targetPort").ShouldBe(port.Text("name"));
    }

    [Fact]
    public async Task No_probe_bounds_the_time_that_loading_models_takes()
    {
        var manifest = await Chart.RenderAsync();

        manifest.Worker.Find("startupProbe").ShouldBeNull();
        manifest.Worker.Text("livenessProbe", "httpGet", "path").ShouldBe("/health/live"); // OK while they are loaded
        (await Chart.RefuseAsync(Chart.Secrets, "--set", "worker.probes.startupSeconds=600")).ShouldContain(
            "at '/worker/probes': additional properties 'startupSeconds' not allowed"
        );
    }

    /// <summary>Texts that Kubernetes takes as texts only, and would be given as a number, a truth value or nothing.</summary>
    private static IEnumerable<string> PlainTexts(YamlNode node, bool isTexts) =>
        node switch
        {
            YamlMappingNode mapping => mapping.Children.SelectMany(pair => PlainTexts(pair.Value, isTexts || IsText($"{pair.Key}"))),
            YamlSequenceNode list => list.Children.SelectMany(item => PlainTexts(item, isTexts)),
            YamlScalarNode { Style: ScalarStyle.Plain, Value: { } value }
                when isTexts
                    && System.Text.RegularExpressions.Regex.IsMatch(value, @"^([-+.\d][-+.\deE]*|true|false|yes|no|on|off|null|~|)$") =>
            [
                value,
            ],
            _ => [],
        };

    private static bool IsText(string key) =>
        key is "data" or "stringData" or "labels" or "annotations" or "matchLabels" or "selector" or "nodeSelector" or "image" or "name"
        || key.EndsWith("Name", StringComparison.Ordinal);
}
