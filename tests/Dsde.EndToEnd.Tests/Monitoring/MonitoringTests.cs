using System.Text.Json;
using System.Text.RegularExpressions;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests.Monitoring;

/// <summary>Metrics, dashboard and alerts with a real Prometheus that scrapes a real worker and a real broker under load.</summary>
public sealed partial class MonitoringTests(ScrapedRabbitMq rabbitMq, PostgresServer postgres) : IClassFixture<ScrapedRabbitMq>
{
    private static readonly string Alerts = Repository.PathOf("helm", "dsde", "files", "alerts.yaml");

    [Fact]
    public async Task Every_query_of_the_dashboard_and_of_an_alert_has_a_series_and_metrics_are_listed_and_named_as_Prometheus_likes()
    {
        await using var worker = await WorkerUnderTest.StartAsync(
            rabbitMq,
            postgres,
            settings: [("Dsde__Worker__MetricWorkloads__0", "known"), ("Dsde__Engine__CostGuard", "false")]
        );
        var port = worker.Environment.Last(setting => setting.Name == "Dsde__Worker__HealthPort").Value;
        await using var prometheus = PrometheusServer.Start(
            $$"""
            global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }
            rule_files: ["{{Alerts}}"]
            scrape_configs:
              - job_name: dsde
                static_configs: [{ targets: ["127.0.0.1:{{port}}"] }]
              - job_name: rabbitmq
                metrics_path: /metrics/detailed
                params: { family: [queue_coarse_metrics, queue_consumer_count] }
                static_configs: [{ targets: ["127.0.0.1:{{rabbitMq.MetricsPort}}"] }]
            """
        );
        (
            await prometheus.WaitForAsync("dsde_sequences_limit and on() rabbitmq_detailed_queue_consumers", TimeSpan.FromSeconds(90))
        ).ShouldBeTrue("nothing was scraped");
        await using var tap = await EventTap.OpenAsync(rabbitMq.Port, worker.VirtualHost);
        await SubmitAsync(worker);
        var jobs = 1;
        var missing = Queries().ToList();
        missing.Count.ShouldBeGreaterThan(40);

        // Rates take two scrapes with a change between them: jobs go on until all is seen.
        for (var start = TimeProvider.System.GetTimestamp(); missing.Count > 0; )
        {
            TimeProvider.System.GetElapsedTime(start).ShouldBeLessThan(TimeSpan.FromSeconds(150), string.Join('\n', missing));
            for (var i = 0; i < 4; i++)
            {
                await tap.PublishAsync(Job(jobs++));
            }

            await tap.WaitForAsync(jobs);
            var asked = await Task.WhenAll(missing.Select(async query => (Query: query, Series: await prometheus.QueryAsync(query))));
            missing = [.. asked.Where(answer => answer.Series.Count == 0).Select(answer => answer.Query)];
        }

        (await prometheus.ReadRulesAsync()).ShouldAllBe(rule => rule.Health == "ok");
        var text = await worker.ReadMetricsAsync();
        await ShouldBeLikedAsync(text);
        await ShouldBeListedAsync(text);
        text.ShouldContain("workload=\"known\"");
        text.ShouldContain("workload=\"other\"");
        text.ShouldNotContain("a-secret-of-somebody");
    }

    [Fact]
    public async Task Rules_are_right_and_every_alert_fires_when_it_should_and_not_otherwise()
    {
        var checkedRules = await RunAsync("check", "rules", Alerts);
        checkedRules.ExitCode.ShouldBe(0, checkedRules.Output + checkedRules.Error);
        var tests = Repository.PathOf("tests", "Dsde.EndToEnd.Tests", "Monitoring", "alerts.test.yaml");

        var tested = await RunAsync("test", "rules", tests);

        tested.ExitCode.ShouldBe(0, tested.Output + tested.Error);
        var names = AlertName()
            .Matches(await File.ReadAllTextAsync(Alerts, TestContext.Current.CancellationToken))
            .Select(match => match.Groups[1].Value)
            .ToList();
        names.Count.ShouldBeGreaterThan(6);
        var source = await File.ReadAllTextAsync(tests, TestContext.Current.CancellationToken);
        var guide = await File.ReadAllTextAsync(Repository.PathOf("docs", "operations.md"), TestContext.Current.CancellationToken);
        foreach (var name in names)
        {
            Regex.Count(source, $"alertname: {name}\n").ShouldBeGreaterThanOrEqualTo(2, $"{name} is not tried both ways");
            guide.ShouldContain($"#### {name}\n");
        }
    }

    private static async Task ShouldBeListedAsync(string metrics)
    {
        // Npgsql's and the runtime's are described by their makers.
        var there = MetricType().Matches(metrics).Select(match => match.Groups[1].Value);
        var listed = (await File.ReadAllLinesAsync(Repository.PathOf("docs", "operations.md"), TestContext.Current.CancellationToken))
            .Select(line => ListedMetric().Match(line))
            .Where(match => match.Success)
            .Select(match => match.Groups[1].Value);

        listed.ShouldBe(there, ignoreOrder: true);
    }

    /// <summary>Sends a job as programs do that say when they sent it.</summary>
    private static async Task SubmitAsync(WorkerUnderTest worker)
    {
        using var folder = new ScratchFolder();
        var file = Path.Combine(folder.Path, "jobs.jsonl");
        await File.WriteAllTextAsync(
            file,
            """{"custom_id":"a","method":"POST","url":"/v1/completions","body":{"model":"dsde-demo","prompt":"Story:","max_tokens":8}}""",
            TestContext.Current.CancellationToken
        );
        var submitted = await DsdeProgram.RunAsync(worker.Environment, "submit", file);
        submitted.ExitCode.ShouldBe(0, submitted.Error);
    }

    private static string Job(int number) =>
        $$$"""
            {"jobId":"{{{Guid.NewGuid()}}}","model":"dsde-demo","prompt":"Story: Once there was a shy fox","maxTokens":60,"temperature":0,
            "policy":"{{{(number % 2 == 0 ? "dsde-paper" : "static:3")}}}",
            "metadata":{"workload":"{{{(number % 2 == 0 ? "known" : "a-secret-of-somebody")}}}"}}
            """;

    /// <summary>The expressions of the dashboard, and what the alerts look at, with Grafana's variables as they would be.</summary>
    private static IEnumerable<string> Queries()
    {
        using var dashboard = JsonDocument.Parse(File.ReadAllText(Repository.PathOf("docker", "grafana", "dsde.json")));
        var shown = dashboard
            .RootElement.GetProperty("panels")
            .EnumerateArray()
            .Where(panel => panel.TryGetProperty("targets", out _))
            .SelectMany(panel => panel.GetProperty("targets").EnumerateArray())
            .Select(target => target.GetProperty("expr").GetString()!)
            .ToList();
        var alerted = Selector().Matches(File.ReadAllText(Alerts)).Select(match => match.Value).Distinct();
        return shown
            .Select(query =>
                query.Replace("$__rate_interval", "1m", StringComparison.Ordinal).Replace("$instance", ".*", StringComparison.Ordinal)
            )
            .Concat(alerted);
    }

    private static async Task ShouldBeLikedAsync(string metrics)
    {
        using var folder = new ScratchFolder();
        var file = Path.Combine(folder.Path, "metrics");
        await File.WriteAllTextAsync(file, metrics, TestContext.Current.CancellationToken);

        var ended = await RunAsync("check", "metrics", "<", file);

        ended.ShouldBe(new DsdeProgram.Ended(0, "", ""));
    }

    private static Task<DsdeProgram.Ended> RunAsync(params string[] arguments) =>
        DsdeProgram.RunTypedAsync([], $"promtool {string.Join(' ', arguments)}");

    [GeneratedRegex(@"- alert: (\w+)")]
    private static partial Regex AlertName();

    [GeneratedRegex(@"\b(dsde|gen_ai|messaging|db|rabbitmq)_\w+(\{[^}]*\})?")]
    private static partial Regex Selector();

    [GeneratedRegex(@"^# TYPE ((?:dsde|gen_ai|messaging)_\w+) ", RegexOptions.Multiline)]
    private static partial Regex MetricType();

    [GeneratedRegex(@"^\| `((?:dsde|gen_ai|messaging)_\w+)")]
    private static partial Regex ListedMetric();
}
