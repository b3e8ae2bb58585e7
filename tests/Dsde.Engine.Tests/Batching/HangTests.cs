using Dsde.Engine.Tests.Generation;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Batching;

/// <summary>An engine whose thread is in a call that doesn't return can be told from one that works or sleeps.</summary>
public sealed class HangTests(TestPair models) : IClassFixture<TestPair>
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task An_engine_that_hangs_in_a_pass_is_stuck_until_the_pass_returns()
    {
        var time = new FakeTimeProvider();
        await using var engine = LoadAt(time);
        using var release = new ManualResetEventSlim();
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var passes = 0;
        engine.Models.Target.BeforePass = _ =>
        {
            if (++passes == 3)
            {
                entered.SetResult();
                release.Wait(TestContext.Current.CancellationToken);
            }
        };

        var request = engine.GenerateAsync(Greedy([1, 2, 3], 20), TestContext.Current.CancellationToken);
        await entered.Task;

        engine.GetSnapshot().HasWork.ShouldBeTrue();
        time.Advance(Patience);
        engine.GetSnapshot().IsStuck(Patience).ShouldBeFalse("Patience is allowed.");
        time.Advance(TimeSpan.FromSeconds(1));
        engine.GetSnapshot().IsStuck(Patience).ShouldBeTrue();

        release.Set();
        (await request).TokenIds.Count.ShouldBe(20);
        engine.GetSnapshot().IsStuck(Patience).ShouldBeFalse();
    }

    [Fact]
    public async Task An_engine_that_sleeps_is_never_stuck_nor_is_one_that_is_given_work_after_a_long_sleep()
    {
        var time = new FakeTimeProvider();
        await using var engine = LoadAt(time);
        await engine.GenerateAsync(Greedy([1, 2, 3], 5), TestContext.Current.CancellationToken);

        time.Advance(TimeSpan.FromHours(9));
        using var release = new ManualResetEventSlim();
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        engine.Models.Target.BeforePass = _ =>
        {
            entered.TrySetResult();
            release.Wait(TestContext.Current.CancellationToken);
        };
        var request = engine.GenerateAsync(Greedy([1, 2, 3], 5), TestContext.Current.CancellationToken);
        await entered.Task;

        engine.GetSnapshot().HasWork.ShouldBeTrue();
        engine.GetSnapshot().IsStuck(Patience).ShouldBeFalse();
        release.Set();
        await request;
    }

    [Fact]
    public void A_step_may_take_eight_times_as_long_as_the_longest_before_it()
    {
        var snapshot = new EngineSnapshot() with { HasWork = true, LongestAdvance = TimeSpan.FromMinutes(1) };

        (snapshot with { SinceAdvance = TimeSpan.FromMinutes(8) }).IsStuck(Patience).ShouldBeFalse();
        (snapshot with { SinceAdvance = TimeSpan.FromMinutes(8.1) }).IsStuck(Patience).ShouldBeTrue();
        (snapshot with { SinceAdvance = TimeSpan.FromDays(1), HasWork = false }).IsStuck(Patience).ShouldBeFalse();
    }

    [Fact]
    public void An_engine_without_work_says_that_it_has_none()
    {
        using var loop = new LoopUnderTest(models.Target, models.Draft);
        var sequence = loop.Add(Greedy([1, 2, 3], 12));

        loop.Step();
        loop.Snapshot.HasWork.ShouldBeTrue();
        loop.RunToEnd(sequence);
        loop.Snapshot.HasWork.ShouldBeFalse();
    }

    private GenerationEngine LoadAt(TimeProvider time) =>
        GenerationEngine.Load(
            new EngineOptions
            {
                Target = models.Target,
                Draft = models.Draft,
                DataType = "fp32",
                Device = "cpu",
                Threads = 1,
            },
            time,
            NullLoggerFactory.Instance
        );
}
