using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Batching;

/// <summary>Ends that come from outside, between two iterations: what there is is kept, and neighbours notice nothing.</summary>
public sealed class EndOnRequestTests(TestPair models) : IClassFixture<TestPair>
{
    [Fact]
    public void A_cancelled_sequence_keeps_what_it_has_and_its_neighbour_goes_on()
    {
        using var loop = new LoopUnderTest(models.Target, models.Draft, policy: "static:2");
        var control = new GenerationControl();
        var cancelled = loop.Add(Greedy([1, 2, 3], 60) with { Control = control });
        var neighbour = loop.Add(Greedy([4, 5], 60));
        loop.Step();
        loop.Step();
        var emitted = cancelled.EmittedCount;

        control.Cancel();
        var results = loop.RunToEnd(cancelled, neighbour);

        results[0].FinishReason.ShouldBe(FinishReason.Cancelled);
        results[0].TokenIds.Count.ShouldBe(emitted);
        emitted.ShouldBeInRange(3, 59);
        results[0].TokenLogProbabilities.Count.ShouldBe(emitted);
        results[0].Text.ShouldNotBeEmpty();
        results[0].Trace.CompletionTokens.ShouldBe(emitted);
        results[1].TokenIds.Count.ShouldBe(60);
    }

    [Fact]
    public void A_request_that_waits_too_long_is_never_started_and_one_that_runs_too_long_is_cut()
    {
        using var loop = new LoopUnderTest(models.Target, models.Draft, batchSize: 1);
        var expires = loop.Time.GetUtcNow().AddSeconds(10);
        var running = loop.Add(Greedy([1, 2, 3], 60) with { ExpiresAt = expires });
        var waiting = loop.Add(Greedy([4, 5], 60) with { ExpiresAt = expires.AddSeconds(-1) });
        loop.Step();
        loop.Time.Advance(TimeSpan.FromSeconds(9));
        loop.Step();
        waiting.Completion.Task.IsCompleted.ShouldBeTrue();
        running.Completion.Task.IsCompleted.ShouldBeFalse();
        var emitted = running.EmittedCount;

        loop.Time.Advance(TimeSpan.FromSeconds(1));
        var results = loop.RunToEnd(running, waiting);

        results[0].FinishReason.ShouldBe(FinishReason.Expired);
        results[0].TokenIds.Count.ShouldBe(emitted);
        results[1].FinishReason.ShouldBe(FinishReason.Expired);
        results[1].TokenIds.ShouldBeEmpty();
        results[1].Text.ShouldBeEmpty();
        results[1].Trace.Times.PrefillMs.ShouldBe(0);
    }

    [Fact]
    public void A_token_that_is_cancelled_abandons_by_exception()
    {
        using var loop = new LoopUnderTest(models.Target, models.Draft, batchSize: 1);
        using var cancellation = new CancellationTokenSource();
        var running = loop.Add(Greedy([1, 2, 3], 60), cancellation: cancellation.Token);
        var waiting = loop.Add(Greedy([4, 5], 60), cancellation: cancellation.Token);
        loop.Step();

        cancellation.Cancel();
        loop.RunToEnd();

        running.Completion.Task.IsCanceled.ShouldBeTrue();
        waiting.Completion.Task.IsCanceled.ShouldBeTrue();
    }

    [Fact]
    public void An_end_of_its_own_beats_one_that_is_asked_for()
    {
        using var loop = new LoopUnderTest(models.Target, models.Draft);
        var control = new GenerationControl();
        var sequence = loop.Add(Greedy([1, 2, 3], 1) with { Control = control });
        loop.Step();

        control.Cancel();

        LoopUnderTest.ResultOf(sequence).FinishReason.ShouldBe(FinishReason.Length);
    }

    [Fact]
    public void A_receiver_of_checkpoints_that_throws_fails_its_own_request_only()
    {
        using var loop = new LoopUnderTest(models.Target, models.Draft);
        var broken = loop.Add(
            Greedy([1, 2, 3], 60) with
            {
                Control = new GenerationControl { CheckpointInterval = 5, Checkpointed = _ => throw new IOException("full") },
            }
        );
        var neighbour = loop.Add(Greedy([4, 5], 30));

        loop.RunToEnd(neighbour);

        broken
            .Completion.Task.Exception.ShouldNotBeNull()
            .InnerException.ShouldBeOfType<EngineFailureException>()
            .Message.ShouldContain("full");
        LoopUnderTest.ResultOf(neighbour).TokenIds.Count.ShouldBe(30);
    }
}
