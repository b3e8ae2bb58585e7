using System.Net;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Hosting.Status;
using Dsde.Testing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dsde.Pipeline.Tests.Hosting.Status;

/// <summary>Who gets the page, over real HTTP.</summary>
public sealed class StatusPageTests
{
    private static readonly string[] Paths = ["status", "status/page.css", "status/page.js", "status/icon.svg", "status/events"];

    [Theory]
    [InlineData("auto", "127.0.0.1", null, false)]
    [InlineData("auto", "127.0.0.1", "Production", false)]
    [InlineData("auto", "127.0.0.1", "Development", true)]
    [InlineData("auto", "::1", "development", true)]
    [InlineData("auto", "0.0.0.0", "Development", false)]
    [InlineData("True", "0.0.0.0", null, true)]
    [InlineData("true", "127.0.0.1", null, true)]
    [InlineData("false", "127.0.0.1", "Development", false)]
    public void It_is_there_in_development_on_this_machine_alone_and_otherwise_as_the_settings_say(
        string setting,
        string address,
        string? environment,
        bool isOn
    ) => StatusPage.IsOn(new WorkerOptions { StatusPage = setting, HealthAddress = address }, environment).ShouldBe(isOn);

    [Fact]
    public async Task Its_files_may_load_nothing_from_elsewhere_and_are_kept_by_nobody()
    {
        var (server, client) = await StartAsync("true");
        using (server)
        using (client)
        {
            foreach (var path in Paths)
            {
                using var response = await client.GetAsync(
                    path,
                    HttpCompletionOption.ResponseHeadersRead,
                    TestContext.Current.CancellationToken
                );
                response.StatusCode.ShouldBe(HttpStatusCode.OK, path);
                var policy = response.Headers.GetValues("Content-Security-Policy").ShouldHaveSingleItem();
                policy.ShouldStartWith("default-src 'none';");
                policy.ShouldNotContain("unsafe");
                policy.ShouldContain("frame-ancestors 'none'");
                response.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
                response.Headers.CacheControl?.NoStore.ShouldBeTrue(path);
            }

            await server.StopAsync(TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task On_a_machine_of_its_own_it_answers_to_no_other_name()
    {
        var (server, client) = await StartAsync("true");
        using (server)
        using (client)
        {
            foreach (var path in Paths)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Host = "rebound.example" } };
                using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
                response.StatusCode.ShouldBe(HttpStatusCode.NotFound, path);
            }

            using var health = new HttpRequestMessage(HttpMethod.Get, "health/live") { Headers = { Host = "worker.example" } };
            using var answer = await client.SendAsync(health, TestContext.Current.CancellationToken);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
            await server.StopAsync(TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task Switched_off_there_is_nothing()
    {
        var (server, client) = await StartAsync("false");
        using (server)
        using (client)
        {
            foreach (var path in Paths)
            {
                using var response = await client.GetAsync(path, TestContext.Current.CancellationToken);
                response.StatusCode.ShouldBe(HttpStatusCode.NotFound, path);
            }

            await server.StopAsync(TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task Pages_that_are_open_do_not_hold_up_a_server_that_stops()
    {
        var (server, client) = await StartAsync("true");
        using (server)
        using (client)
        {
            using var response = await client.GetAsync(
                "status/events",
                HttpCompletionOption.ResponseHeadersRead,
                TestContext.Current.CancellationToken
            );
            await using var events = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60)); // a worker has two seconds

            await server.StopAsync(patience.Token);

            patience.IsCancellationRequested.ShouldBeFalse();
            using var reader = new StreamReader(events);
            (await reader.ReadToEndAsync(TestContext.Current.CancellationToken)).ShouldStartWith("event: history\n");
        }
    }

    private static async Task<(IHost Server, HttpClient Client)> StartAsync(string page)
    {
        var options = new WorkerOptions { HealthPort = $"{FreePorts.Find(1)}", StatusPage = page };
        var server = await HealthServer.StartAsync(
            options,
            new WorkerStatus(new WorkerHealth(), options, TimeProvider.System),
            NullLoggerFactory.Instance,
            TestContext.Current.CancellationToken
        );
        return (server, new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{options.HealthPort}") });
    }
}
