using Dsde.Engine;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Jobs.Held;
using Dsde.Pipeline.Tests.Jobs;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Dsde.Pipeline.Tests.Hosting;

/// <summary>An engine that hangs, on a clock and an engine that say what the test wants.</summary>
public sealed class EngineWatchTests : IDisposable
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
    private readonly ScriptedEngine _engine = new((_, _) => throw new NotSupportedException());
    private readonly ApplicationLifetime _lifetime = new(NullLogger<ApplicationLifetime>.Instance);
    private readonly HeldJobs _heldJobs;
    private readonly EngineWatch _watch;

    public EngineWatchTests()
    {
        _heldJobs = new HeldJobs(_time);
        _watch = new EngineWatch(
            _engine,
            _heldJobs,
            _lifetime,
            new WorkerOptions { EngineStallSeconds = 60 },
            _time,
            NullLogger<EngineWatch>.Instance
        );
    }

    public void Dispose() => _watch.Dispose();

    [Theory]
    [InlineData(true, 59, 1)]
    [InlineData(false, 3600, 1)] // idle
    [InlineData(true, 300, 40)] // its steps take long
    public async Task An_engine_that_gets_on_or_has_nothing_to_do_is_live(bool hasWork, int sinceAdvance, int longest)
    {
        _engine.Snapshot = Snapshot(hasWork, sinceAdvance, longest);

        _watch.Look();

        _watch.StuckSince.ShouldBeNull();
        (await HealthAsync()).Status.ShouldBe(HealthStatus.Healthy);
        _lifetime.ApplicationStopping.IsCancellationRequested.ShouldBeFalse();
    }

    [Fact]
    public async Task An_engine_that_has_had_work_for_too_long_without_getting_on_is_not_live_and_its_jobs_are_let_go()
    {
        _engine.Snapshot = Snapshot(hasWork: true, sinceAdvance: 61, longest: 1);

        _watch.Look();

        _watch.StuckSince.ShouldBe(_time.GetUtcNow().AddSeconds(-61));
        var health = await HealthAsync();
        health.Status.ShouldBe(HealthStatus.Unhealthy);
        health.Description.ShouldNotBeNull().ShouldContain("2026-01-02T03:03:04Z");
        _heldJobs.HandBack.IsCancellationRequested.ShouldBeTrue();
        _heldJobs.Abandoned.IsCancellationRequested.ShouldBeTrue();
        _lifetime.ApplicationStopping.IsCancellationRequested.ShouldBeTrue();
    }

    private static EngineSnapshot Snapshot(bool hasWork, int sinceAdvance, int longest) =>
        default(EngineSnapshot) with
        {
            Running = hasWork ? 1 : 0,
            HasWork = hasWork,
            SinceAdvance = TimeSpan.FromSeconds(sinceAdvance),
            LongestAdvance = TimeSpan.FromSeconds(longest),
        };

    private Task<HealthCheckResult> HealthAsync() =>
        new EngineHealth(_watch).CheckHealthAsync(new HealthCheckContext(), TestContext.Current.CancellationToken);
}
