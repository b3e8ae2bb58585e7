using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Dsde.Testing;
using YamlDotNet.RepresentationModel;

namespace Dsde.Deployment.Tests;

/// <summary>Pools of workers: what each has of its own, and what follows from its values.</summary>
public sealed class ChartPoolTests(RabbitMqServer rabbitMq) : IClassFixture<RabbitMqServer>
{
    private const string TwoPools =
        Chart.Secrets
        + """
            settings: { Dsde__Engine__BatchSize: 8 }
            worker:
              replicas: 2
              podDisruptionBudget: { enabled: true }
              nodeSelector: { a: b }
              autoscaling: { mode: keda }
            pools:
              small:
                models: [one, two.5]
                podDisruptionBudget: { enabled: false }
                autoscaling: { minReplicas: 0 }
              large:
                models: [three]
                nodeSelector: { a: c }
                settings: { Dsde__Engine__BatchSize: 64, Dsde__Worker__DrainSeconds: 600 }
                resources: { limits: { nvidia.com/gpu: 1 } }
                autoscaling: { mode: none }

            """;

    [Fact]
    public async Task A_pool_has_what_workers_have_and_false_and_nothing_count_as_what_it_says_otherwise()
    {
        var manifest = await Chart.RenderAsync(TwoPools);
        var (small, large) = (manifest.OfPool("small"), manifest.OfPool("large"));

        small["ConfigMap"].At("data").Texts().ShouldContainKeyAndValue("Dsde__Engine__BatchSize", "8");
        large["ConfigMap"].At("data").Texts().ShouldContainKeyAndValue("Dsde__Engine__BatchSize", "64");
        small["ConfigMap"].At("data").Texts().ShouldContainKeyAndValue("Dsde__Worker__Models__1", "two.5");
        large["ConfigMap"].At("data").Texts().Keys.ShouldNotContain("Dsde__Worker__Models__1");
        small.Pod.Text("spec", "nodeSelector", "a").ShouldBe("b");
        large.Pod.Text("spec", "nodeSelector", "a").ShouldBe("c");
        manifest["PodDisruptionBudget"].Text("metadata", "name").ShouldBe("jobs-dsde-large");
        manifest["ScaledObject"].Text("metadata", "name").ShouldBe("jobs-dsde-small");
        large.Worker.At("resources", "limits").Texts().Keys.ShouldBe(["memory", "nvidia.com/gpu"], ignoreOrder: true);
        small.Worker.At("envFrom").Items().First().Text("configMapRef", "name").ShouldBe("jobs-dsde-small");
    }

    [Fact]
    public async Task Every_object_about_a_pools_pods_finds_these_and_no_others()
    {
        var manifest = await Chart.RenderAsync(
            TwoPools + "monitoring: { podMonitor: { enabled: true } }\nnetworkPolicy: { enabled: true }\n"
        );
        var pods = manifest.Of("Deployment").ToDictionary(made => made.Text("metadata", "name"), made => made.At("spec", "template"));

        foreach (var deployment in manifest.Of("Deployment"))
        {
            Found(deployment.At("spec", "selector", "matchLabels")).ShouldBe([deployment.Text("metadata", "name")]);
        }

        Found(manifest["PodDisruptionBudget"].At("spec", "selector", "matchLabels")).ShouldBe(["jobs-dsde-large"]);
        Found(manifest["PodMonitor"].At("spec", "selector", "matchLabels")).Count.ShouldBe(2);
        Found(manifest["NetworkPolicy"].At("spec", "podSelector", "matchLabels")).Count.ShouldBe(2);
        Found(manifest["Service"].At("spec", "selector")).Count.ShouldBe(2);
        manifest["PodMonitor"].At("spec", "podMetricsEndpoints").Items().Single().Text("port").ShouldBe("health");

        List<string> Found(YamlNode selector) =>
            [
                .. pods.Where(pod =>
                        selector
                            .Texts()
                            .All(label => pod.Value.At("metadata", "labels").Texts().GetValueOrDefault(label.Key) == label.Value)
                    )
                    .Select(pod => pod.Key),
            ];
    }

    [Fact]
    public async Task Where_a_GPU_is_asked_for_a_rollout_has_no_pod_too_many_and_elsewhere_the_new_one_comes_first()
    {
        var manifest = await Chart.RenderAsync(TwoPools);

        manifest
            .OfPool("large")["Deployment"]
            .At("spec", "strategy", "rollingUpdate")
            .Texts()
            .ShouldBe(new Dictionary<string, string> { ["maxSurge"] = "0", ["maxUnavailable"] = "1" }, ignoreOrder: true);
        manifest
            .OfPool("small")["Deployment"]
            .At("spec", "strategy", "rollingUpdate")
            .Texts()
            .ShouldBe(new Dictionary<string, string> { ["maxSurge"] = "1", ["maxUnavailable"] = "0" }, ignoreOrder: true);
        (await Chart.RenderAsync(Chart.Secrets + "worker: { strategy: { type: Recreate } }"))["Deployment"]
            .At("spec", "strategy")
            .Texts()
            .ShouldBe(new Dictionary<string, string> { ["type"] = "Recreate" });
    }

    [Fact]
    public async Task A_pods_grace_is_the_time_before_its_worker_is_told_the_time_to_drain_and_a_quarter_of_a_minute()
    {
        var manifest = await Chart.RenderAsync(TwoPools);

        manifest.OfPool("small").Pod.Text("spec", "terminationGracePeriodSeconds").ShouldBe($"{5 + 30 + 15}");
        manifest.OfPool("large").Pod.Text("spec", "terminationGracePeriodSeconds").ShouldBe($"{5 + 600 + 15}");
        manifest.OfPool("small").Worker.Text("lifecycle", "preStop", "sleep", "seconds").ShouldBe("5");
        (await Chart.RenderAsync(Chart.Secrets + "worker: { preStopSeconds: 0 }")).Worker.Find("lifecycle").ShouldBeNull();
    }

    [Fact]
    public async Task Keda_scales_by_what_waits_and_what_is_held_down_to_nothing_and_later_than_a_worker_drains()
    {
        var manifest = (await Chart.RenderAsync(TwoPools)).OfPool("small");
        var scaled = manifest["ScaledObject"];
        var trigger = scaled.At("spec", "triggers").Items().Single();

        manifest["Deployment"].Find("spec", "replicas").ShouldBeNull(); // or an upgrade would take back what KEDA did
        scaled.Text("spec", "scaleTargetRef", "name").ShouldBe(manifest["Deployment"].Text("metadata", "name"));
        scaled.Text("spec", "minReplicaCount").ShouldBe("0");
        scaled.Text("spec", "cooldownPeriod").ShouldBe("330");
        scaled.At("spec", "fallback").Texts().ShouldContainKeyAndValue("replicas", "1");
        trigger.Text("metricType").ShouldBe("AverageValue"); // the only one that has a fallback
        var metadata = trigger.At("metadata").Texts();
        metadata.ShouldContainKeyAndValue("protocol", "http");
        metadata.ShouldContainKeyAndValue("excludeUnacknowledged", "false");
        metadata.ShouldContainKeyAndValue("mode", "QueueLength");
        metadata.ShouldContainKeyAndValue("operation", "sum");
        metadata.ShouldContainKeyAndValue("value", "16");
        metadata.Values.ShouldAllBe(value => !value.Contains("password", StringComparison.Ordinal));
        var authentication = manifest["TriggerAuthentication"];
        trigger.Text("authenticationRef", "name").ShouldBe(authentication.Text("metadata", "name"));
        var (user, password) = (
            authentication.At("spec", "configMapTargetRef").Items().Single(),
            authentication.At("spec", "secretTargetRef").Items().Single()
        );
        manifest["ConfigMap"].Text("metadata", "name").ShouldBe(user.Text("name"));
        manifest["ConfigMap"].At("data").Texts().ShouldContainKey(user.Text("key"));
        manifest["Secret"].Text("metadata", "name").ShouldBe(password.Text("name"));
        manifest["Secret"].At("stringData").Texts().ShouldContainKey(password.Text("key"));
    }

    [Theory]
    [InlineData("dsde-generation-jobs.one", true)]
    [InlineData("dsde-generation-jobs.one.high", true)]
    [InlineData("dsde-generation-jobs.two.5", true)]
    [InlineData("dsde-generation-jobs.two.5.high", true)]
    [InlineData("dsde-generation-jobs.one.resumed", true)] // jobs of the dead
    [InlineData("dsde-generation-jobs-unrouted", true)] // which some worker has to route
    [InlineData("dsde-generation-jobs-parked", false)]
    [InlineData("dsde-generation-jobs-held", false)]
    [InlineData("dsde-generation-jobs.two", false)]
    [InlineData("dsde-generation-jobs.twoX5", false)]
    [InlineData("dsde-generation-jobs.three", false)]
    [InlineData("dsde-generation-jobs.one_error", false)]
    [InlineData("dsde-generation-jobs.one-dead", false)]
    public async Task Keda_looks_at_the_queues_of_the_pools_models_and_of_jobs_that_go_on_and_at_no_others(string queue, bool isMeant)
    {
        var trigger = (await Chart.RenderAsync(TwoPools))["ScaledObject"].At("spec", "triggers").Items().Single();

        Regex.IsMatch(queue, trigger.Text("metadata", "queueName")).ShouldBe(isMeant);
    }

    /// <summary>The question that KEDA asks, asked of a real broker.</summary>
    [Fact]
    public async Task The_brokers_management_answers_Kedas_question_with_the_messages_of_these_queues()
    {
        var virtualHost = await rabbitMq.CreateVirtualHostAsync();
        using var management = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{rabbitMq.Port + 3}/api/") };
        management.DefaultRequestHeaders.Authorization = new("Basic", Convert.ToBase64String("guest:guest"u8));
        foreach (var queue in new[] { "dsde-generation-jobs.one", "dsde-generation-jobs.two.5.high", "dsde-generation-jobs.two", "other" })
        {
            await SendThreeAsync(management, virtualHost, queue);
        }

        var trigger = (await Chart.RenderAsync(TwoPools))["ScaledObject"].At("spec", "triggers").Items().Single();
        var pattern = Uri.EscapeDataString(trigger.Text("metadata", "queueName"));
        var question = $"queues/{virtualHost}?page=1&use_regex=true&pagination=false&name={pattern}&page_size=100";
        var messages = 0;
        for (var start = TimeProvider.System.GetTimestamp(); messages < 6; await Task.Delay(200, TestContext.Current.CancellationToken))
        {
            TimeProvider.System.GetElapsedTime(start).ShouldBeLessThan(TimeSpan.FromSeconds(60)); // the broker samples every few seconds
            var answer = await management.GetFromJsonAsync<JsonElement>(question, TestContext.Current.CancellationToken);
            var found = answer.GetProperty("items").EnumerateArray().ToList();
            found.Count.ShouldBe(2);
            messages = found.Sum(queue => queue.TryGetProperty("messages", out var count) ? count.GetInt32() : 0);
        }

        messages.ShouldBe(6);
    }

    private static async Task SendThreeAsync(HttpClient management, string virtualHost, string queue)
    {
        (await management.PutAsJsonAsync($"queues/{virtualHost}/{queue}", new { durable = true })).EnsureSuccessStatusCode();
        for (var i = 0; i < 3; i++)
        {
            var message = new
            {
                routing_key = queue,
                payload = "job",
                payload_encoding = "string",
                properties = new { },
            };
            (await management.PostAsJsonAsync($"exchanges/{virtualHost}/amq.default/publish", message)).EnsureSuccessStatusCode();
        }
    }

    [Fact]
    public async Task The_network_lets_workers_reach_broker_database_names_and_collector_and_nothing_else()
    {
        var manifest = await Chart.RenderAsync(
            Chart.Secrets + "settings: { Dsde__RabbitMq__Port: 5671 }\nnetworkPolicy: { enabled: true }\n"
        );
        var policy = manifest["NetworkPolicy"].At("spec");

        Ports(policy.At("egress")).ShouldBe(["53", "53", "5671", "5432", "4317"]);
        Ports(policy.At("ingress")).ShouldBe(["8080"]);
        policy.At("policyTypes").Items().Select(type => type.ToString()).ShouldBe(["Ingress", "Egress"]);

        static IEnumerable<string> Ports(YamlNode rules) =>
            rules.Items().SelectMany(rule => rule.At("ports").Items()).Select(port => port.Text("port"));
    }

    [Fact]
    public async Task Models_are_fetched_before_the_worker_into_a_volume_that_it_only_reads()
    {
        var manifest = await Chart.RenderAsync(Chart.Secrets, "jobs", "--values", Path.Combine(Chart.Folder, "values-external.yaml"));
        var fetching = manifest.Pod.At("spec", "initContainers").Items().Single();

        fetching.At("command").Items().Select(part => part.ToString()).ShouldContain("/models/llama-1b");
        MountOf(fetching).Find("readOnly").ShouldBeNull();
        MountOf(manifest.Worker).Text("readOnly").ShouldBe("true");
        manifest["ConfigMap"].At("data").Texts()["Dsde__Engine__Target"].ShouldBe("/models/llama-1b");
        fetching.Text("securityContext", "readOnlyRootFilesystem").ShouldBe("true");

        static YamlNode MountOf(YamlNode container) =>
            container.At("volumeMounts").Items().Single(mount => mount.Text("mountPath") == "/models");
    }
}
