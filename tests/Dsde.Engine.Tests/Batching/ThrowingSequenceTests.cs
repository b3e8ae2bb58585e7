using Dsde.Engine.Tests.Generation;
using Dsde.Speculation;
using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Batching;

/// <summary>A sequence that makes the engine throw costs its neighbours time, and nobody but itself the output.</summary>
public sealed class ThrowingSequenceTests(TestPair models) : IClassFixture<TestPair>
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    public void A_sequence_that_makes_the_engine_throw_fails_alone_and_all_others_end_as_if_it_were_not_there(int calls)
    {
        var prompts = Prompts(9);
        using var quiet = new LoopUnderTest(models.Target, models.Draft, batchSize: 4);
        var undisturbed = quiet.RunToEnd([.. prompts.Select(prompt => quiet.Add(Greedy(prompt, 40)))]);
        using var loop = new LoopUnderTest(models.Target, models.Draft, batchSize: 4);

        var first = prompts.Take(2).Select(prompt => loop.Add(Greedy(prompt, 40))).ToList();
        var poison = loop.Add(Greedy([5, 4, 3], 40), new ThrowingPolicy(calls));
        var others = prompts.Skip(2).Select(prompt => loop.Add(Greedy(prompt, 40))).ToList();
        var results = loop.RunToEnd([.. first, .. others]);

        for (var i = 0; i < results.Length; i++)
        {
            Sameness.ShouldBeSame(results[i], undisturbed[i]);
        }

        var failure = poison.Completion.Task.Exception.ShouldNotBeNull().InnerException.ShouldBeOfType<EngineFailureException>();
        failure.Message.ShouldContain("alone");
        failure.Message.ShouldContain(ThrowingPolicy.Text);
        loop.Snapshot.BatchLimit.ShouldBe(4, "The cause is gone.");
        loop.Snapshot.OutOfMemory.ShouldBe(0);
    }

    [Fact]
    public void A_sequence_whose_admission_fails_is_not_lost()
    {
        var prompt = Enumerable.Range(0, 40).ToArray();
        using var loop = new LoopUnderTest(models.Target, models.Draft, batchSize: 2);
        loop.RunToEnd(loop.Add(Greedy(prompt, 5)));
        var failing = loop.Add(Greedy([.. prompt, 1, 2], 5), new ThrowingPolicy(0, onAdmission: true));
        var neighbour = loop.Add(Greedy(prompt, 5));

        var results = loop.RunToEnd(neighbour);

        results[0].TokenIds.Count.ShouldBe(5);
        failing.Completion.Task.Exception.ShouldNotBeNull().InnerException!.Message.ShouldContain(ThrowingPolicy.Text);
    }

    [Fact]
    public async Task An_engine_whose_every_round_throws_breaks_down_and_nobody_waits_for_ever()
    {
        await using var engine = Load(models.Target, models.Draft, batchSize: 4);
        engine.Models.Target.BeforePass = _ => throw new InvalidOperationException("The device is gone.");

        var requests = Prompts(40)
            .Select(prompt => engine.GenerateAsync(Greedy(prompt, 20), TestContext.Current.CancellationToken))
            .ToList();

        foreach (var request in requests)
        {
            (await Should.ThrowAsync<EngineFailureException>(() => request)).Message.ShouldContain("The device is gone.");
        }

        engine.BrokenDown.IsCancellationRequested.ShouldBeTrue();
    }

    [Fact]
    public async Task One_prompt_that_fails_again_and_again_does_not_break_the_engine_down()
    {
        await using var engine = Load(models.Target, models.Draft);
        engine.Models.Target.BeforePass = rows => Fail(rows.KeyCount == 3);
        for (var i = 0; i < 20; i++)
        {
            await Should.ThrowAsync<EngineFailureException>(() =>
                engine.GenerateAsync(Greedy([1, 2, 3], 10), TestContext.Current.CancellationToken)
            );
        }

        engine.BrokenDown.IsCancellationRequested.ShouldBeFalse();
        (await engine.GenerateAsync(Greedy([1, 2, 3, 4], 10), TestContext.Current.CancellationToken)).TokenIds.Count.ShouldBe(10);
    }

    private static void Fail(bool fails, string text = "It can't be computed.")
    {
        if (fails)
        {
            throw new InvalidOperationException(text);
        }
    }

    /// <summary>Always the same length, until it has been asked often enough: it throws from then on.</summary>
    private sealed class ThrowingPolicy(int goodCalls, bool onAdmission = false) : ISpeculationPolicy
    {
        public const string Text = "This policy has a fault.";
        private readonly StaticPolicy _inner = new("throwing", 2);
        private int _calls;

        public string Name => _inner.Name;

        public int LengthWithoutSignal => 0;

        public bool Speculates => onAdmission ? throw new InvalidOperationException(Text) : true;

        public bool IsGuarded => false;

        public IEarlyStopping? EarlyStopping => null;

        public ISequencePolicyState CreateState(float temperature) => _inner.CreateState(temperature);

        public void Plan(ReadOnlySpan<ISequencePolicyState> states, Span<SpeculationPlan> plans)
        {
            Fail(_calls++ >= goodCalls, Text);
            _inner.Plan(states, plans);
        }
    }
}
