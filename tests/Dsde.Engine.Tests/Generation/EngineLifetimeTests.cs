using Dsde.Speculation;
using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Generation;

public sealed class EngineLifetimeTests(TestPair models) : IClassFixture<TestPair>
{
    [Fact]
    public async Task A_cancelled_request_leaves_and_its_neighbours_go_on_undisturbed()
    {
        var prompts = Prompts(6);
        await using var engine = Load(models.Target, models.Draft, batchSize: 6);
        var undisturbed = await engine.GenerateAllAsync(prompts.Select(prompt => Greedy(prompt, 60)));
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);

        using var hold = new HeldPass(engine, passes: 4);
        var doomed = engine.GenerateAsync(Greedy(prompts[0], 60), cancellation.Token);
        var neighbours = engine.GenerateAllAsync(prompts.Skip(1).Select(prompt => Greedy(prompt, 60)));
        await hold.Reached;
        await cancellation.CancelAsync();
        hold.Release();

        await Should.ThrowAsync<OperationCanceledException>(() => doomed);
        var results = await neighbours;
        for (var i = 0; i < results.Length; i++)
        {
            Sameness.ShouldBeSame(results[i], undisturbed[i + 1]);
        }
    }

    [Fact]
    public async Task Shutting_down_cancels_what_runs_and_what_waits()
    {
        var engine = Load(models.Target, models.Draft, batchSize: 1);
        using var hold = new HeldPass(engine, passes: 4);
        var running = Prompts(5).Select(prompt => engine.GenerateAsync(Greedy(prompt, 100), CancellationToken.None)).ToList();
        await hold.Reached;

        var disposal = engine.DisposeAsync();
        hold.Release();
        await disposal;

        foreach (var task in running)
        {
            await Should.ThrowAsync<OperationCanceledException>(() => task);
        }

        await Should.ThrowAsync<OperationCanceledException>(() => engine.GenerateAsync(Greedy([1], 1), CancellationToken.None));
    }

    [Fact]
    public async Task Waiting_requests_of_higher_priority_run_first()
    {
        await using var engine = Load(models.Target, models.Draft, batchSize: 1);
        var first = engine.GenerateAsync(Greedy([1, 2], 100), TestContext.Current.CancellationToken);
        int[] priorities = [0, 0, 5, 1];

        var results = await engine.GenerateAllAsync(priorities.Select((priority, i) => Greedy([3, 4, i], 3) with { Priority = priority }));

        await first;
        var order = Enumerable.Range(0, priorities.Length).OrderBy(i => results[i].Trace.Times.WaitingMs);
        order.ShouldBe([2, 3, 0, 1]);
    }

    [Fact]
    public async Task The_counters_agree_with_the_traces()
    {
        await using var engine = Load(models.Target, models.Draft, batchSize: 3);

        var results = await engine.GenerateAllAsync(Prompts(9).Select((prompt, i) => Sampled(prompt, 30, (ulong)i)));

        var snapshot = engine.GetSnapshot();
        snapshot.Emitted.ShouldBe(results.Sum(result => (long)result.TokenIds.Count));
        snapshot.Proposed.ShouldBe(results.Sum(result => (long)result.Trace.Proposed));
        snapshot.Accepted.ShouldBe(results.Sum(result => (long)result.Trace.Accepted));
        var lengths = results.SelectMany(result => result.Trace.Iterations.SpeculationLength).ToList();
        snapshot.Lengths.ShouldBe(Enumerable.Range(0, lengths.Max() + 1).Select(length => lengths.LongCount(other => other == length)));
        var deciders = results.SelectMany(result => result.Trace.Iterations.DecidedBy).ToList();
        snapshot.Decisions.ShouldBe(Enum.GetValues<LengthDecider>().Select(decider => deciders.LongCount(other => other == decider)));
        snapshot.IsSpeculating.ShouldBeNull(); // nothing is guarded here
        foreach (var trace in results.Select(result => result.Trace))
        {
            trace.Proposed.ShouldBe(trace.Iterations.SpeculationLength.Sum());
            trace.Proposals.Kld.Length.ShouldBe(trace.Proposed);
            trace.Proposals.OnPath.Length.ShouldBe(trace.Proposed);
            trace.Tokens.DraftMatch.Length.ShouldBe(trace.CompletionTokens);
            trace.Proposals.Kld.ShouldAllBe(kld => kld > -1e-3f && !float.IsNaN(kld));
            trace.Proposals.Beta.ShouldAllBe(beta => beta >= 0 && beta < 1.001f);
        }
    }

    [Fact]
    public async Task A_handle_tells_how_far_its_request_is_from_waiting_to_the_end()
    {
        await using var engine = Load(models.Target, models.Draft, "static:3", batchSize: 1);
        var (first, second) = (new GenerationControl(), new GenerationControl());
        using var hold = new HeldPass(engine, passes: 4);

        var running = engine.GenerateAsync(Greedy([1, 2], 60) with { Control = first }, TestContext.Current.CancellationToken);
        var waiting = engine.GenerateAsync(Greedy([3], 5) with { Control = second }, TestContext.Current.CancellationToken);
        await hold.Reached; // of passes: the prompt's, and those of three iterations, of which two have ended

        second.Progress.ShouldBe(new GenerationProgress(GenerationPhase.Waiting, PromptTokens: 1, MostTokens: 5));
        var midway = first.Progress;
        (midway.Phase, midway.PromptTokens, midway.MostTokens).ShouldBe((GenerationPhase.Decoding, 2, 60));
        (midway.Proposed, midway.SpeculationLength).ShouldBe((6, 3));
        midway.Tokens.ShouldBe(3 + midway.Accepted); // one with the prompt, one more than is accepted of each iteration
        hold.Release();
        var results = await Task.WhenAll(running, waiting);
        foreach (var (control, result) in new[] { first, second }.Zip(results))
        {
            var end = control.Progress;
            end.Phase.ShouldBe(GenerationPhase.Ended);
            (end.Tokens, end.Proposed, end.Accepted).ShouldBe((result.TokenIds.Count, result.Trace.Proposed, result.Trace.Accepted));
        }
    }

    /// <summary>Keeps the target from a pass until a test has done what is to come before it.</summary>
    private sealed class HeldPass : IDisposable
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ManualResetEventSlim _released = new();
        private int _passes;

        public HeldPass(GenerationEngine engine, int passes) =>
            engine.Models.Target.BeforePass = _ =>
            {
                if (++_passes == passes)
                {
                    _reached.SetResult();
                    _released.Wait(TestContext.Current.CancellationToken);
                }
            };

        public Task Reached => _reached.Task;

        public void Release() => _released.Set();

        public void Dispose() => _released.Dispose();
    }
}
