using System.Globalization;
using Dsde.EndToEnd.Tests.Reporting;
using Dsde.Testing;

namespace Dsde.EndToEnd.Tests.Hosting;

/// <summary>The status page of a real worker in a real browser.</summary>
public sealed class StatusPageTests(RabbitMqServer rabbitMq, PostgresServer postgres)
{
    private const string Marker = "zanzibarquill";
    private const int Jobs = 40;
    private static readonly string AllCompleted = $"{Jobs} completed, 0 failed, 0 cancelled";

    [Fact]
    public async Task While_jobs_run_the_page_shows_them_and_what_waits_and_its_numbers_move()
    {
        await using var worker = await WorkerUnderTest.StartAsync(
            rabbitMq,
            postgres,
            settings: [("Dsde__Worker__StatusPage", "true"), ("Dsde__Engine__CostGuard", "false"), ("Dsde__Engine__BatchSize", "4")]
        );
        await using var producer = await RawProducer.OpenAsync(rabbitMq.Port, worker.VirtualHost);
        var address = $"http://127.0.0.1:{worker.Environment.Last(setting => setting.Name == "Dsde__Worker__HealthPort").Value}";
        await using var browser = await Browser.OpenAsync($"{address}/status");
        await browser.WaitForTextsAsync("#state", texts => texts is ["Ready"]);
        (await browser.TextsOfAsync("#no-jobs")).ShouldBe(["None at the moment."]);
        (await browser.TextsOfAsync("#worker")).ShouldBe([worker.WorkerId]);
        var ids = Enumerable.Range(0, Jobs).Select(_ => Guid.NewGuid()).ToList();

        foreach (var id in ids)
        {
            await producer.SendByKeyAsync("dsde-demo", Job(id));
        }

        await browser.WaitForTextsAsync("#queued b", texts => Number(texts[0]) > Jobs / 3);
        var shown = await browser.WaitForTextsAsync("#jobs .first .id", texts => texts.Length >= 4);
        shown.ShouldBeSubsetOf(ids.Select(id => $"{id}"));
        await browser.WaitForTextsAsync("#jobs .tag", texts => texts.Contains("decoding"));
        (await browser.WaitForTextsAsync("#running .value", texts => texts is ["4 of 4"])).ShouldNotBeEmpty();
        await browser.WaitForTextsAsync("#length b", texts => Number(texts[0]) is > 2.8 and <= 3); // less only where outputs end
        var rate = await browser.WaitForTextsAsync("#throughput b", texts => Number(texts[0]) > 0);
        await browser.WaitForTextsAsync("#throughput b", texts => Number(texts[0]) > 0 && texts[0] != rate[0]);
        await browser.WaitForTextsAsync("#acceptance b", texts => texts[0].EndsWith('%'));
        (await browser.TextsOfAsync("#deciders .legend b")).ShouldBe(["100.0 %", "0.0 %", "0.0 %", "0.0 %"]);
        (await browser.TextsOfAsync("#guard")).ShouldBe(["There is no cost guard here: every policy gets what it wishes."]);
        (await browser.TextsOfAsync("#queues td.text")).ShouldContain("dsde-generation-jobs.dsde-demo");
        (await browser.CountShownAsync(".tile svg polyline")).ShouldBeGreaterThanOrEqualTo(5);
        foreach (var scheme in (string[])["light", "dark"])
        {
            (await browser.CountColoursAsync(scheme)).ShouldBeGreaterThan(100, scheme);
        }

        await browser.WaitForTextsAsync("#end-count", texts => texts[0] == AllCompleted, TimeSpan.FromSeconds(150));
        await browser.WaitForTextsAsync("#queued b", texts => texts is ["0"]);
        (await browser.TextsOfAsync("#ends .id")).Length.ShouldBe(12);
        (await browser.TextsOfAsync("body"))[0].ShouldNotContain(Marker, Case.Insensitive);
        browser.Requests.ShouldAllBe(request => request.StartsWith(address, StringComparison.Ordinal));
        browser.Mistakes.ShouldBeEmpty();
    }

    [Fact]
    public async Task In_development_it_is_there_and_a_page_that_is_open_goes_on_with_the_worker_that_comes_after()
    {
        var site = await WorkerUnderTest.CreateSiteAsync(rabbitMq, postgres);
        (string, string)[] settings =
        [
            .. site,
            ("DOTNET_ENVIRONMENT", "Development"),
            ("Dsde__Worker__HealthPort", $"{FreePorts.Find(1)}"),
        ];
        await using var first = new StartedWorker([.. settings, ("Dsde__Worker__WorkerId", "the-first")]);
        var address = (await first.LoggedAsync("Status page at http://[^ \n]+"))["Status page at ".Length..];
        await using var browser = await Browser.OpenAsync(address);
        await browser.WaitForTextsAsync("#worker", texts => texts is ["the-first"]);

        (await first.TerminateAsync()).ShouldBe(0, first.Log);
        await browser.WaitForTextsAsync("#state", texts => texts is ["No connection, trying again"]);
        await using var second = new StartedWorker([.. settings, ("Dsde__Worker__WorkerId", "the-second")]);
        await browser.WaitForTextsAsync("#worker", texts => texts is ["the-second"], TimeSpan.FromSeconds(90));
        await browser.WaitForTextsAsync("#state", texts => texts is ["Ready"]);

        // The browser itself complains of an address that nobody is at.
        browser.Mistakes.ShouldAllBe(mistake => mistake.Contains("net::ERR", StringComparison.Ordinal));
        (await second.TerminateAsync()).ShouldBe(0, second.Log);
    }

    private static double Number(string text) =>
        double.TryParse(text, NumberStyles.Number, CultureInfo.InvariantCulture, out var number) ? number : -1;

    private static string Job(Guid id) =>
        $$$"""
            {"jobId":"{{{id}}}","model":"dsde-demo","prompt":"Story: Once there was a shy fox called {{{Marker}}}",
            "maxTokens":400,"temperature":1,"ignoreEos":true,"policy":"static:3",
            "customId":"{{{Marker}}}","metadata":{"{{{Marker}}}":"{{{Marker}}}"}}
            """;
}
