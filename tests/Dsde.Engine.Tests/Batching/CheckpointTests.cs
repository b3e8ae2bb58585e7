using System.Text.Json;
using Dsde.Engine.Sampling;
using Dsde.Speculation;
using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Batching;

/// <summary>
/// An output that is interrupted anywhere and continued in another engine is the one that was never interrupted, and so is its telemetry.
/// </summary>
public sealed class CheckpointTests(TestPair models) : IClassFixture<TestPair>
{
    private const int Length = 48;
    private static readonly int[] Prompt = [17, 101, 32, 5, 66];

    [Theory]
    [InlineData("dsde", null)]
    [InlineData("dsde-reference", null)]
    [InlineData("static:3", null)]
    [InlineData("autoregressive", null)]
    [InlineData("dsde", SamplingMode.Coupled)]
    [InlineData("static:3", SamplingMode.Coupled)]
    [InlineData("dsde", SamplingMode.Rejection)]
    public void A_sequence_suspended_after_any_round_goes_on_as_if_nothing_had_been(string policy, SamplingMode? mode)
    {
        var request = Request(mode);
        using var undisturbed = new LoopUnderTest(models.Target, models.Draft, policy: policy);
        var expected = undisturbed.RunToEnd(undisturbed.Add(request))[0];
        var rounds = expected.Trace.Iterations.Accepted.Length;

        for (var round = 1; round < rounds; round += 2)
        {
            var checkpoint = Copy(Interrupt(request, policy, round));
            checkpoint.TokenIds.ShouldBe(expected.TokenIds.Take(checkpoint.TokenIds.Length));
            using var loop = new LoopUnderTest(models.Target, models.Draft, policy: policy);
            ShouldBeSame(loop.RunToEnd(loop.Add(request with { ResumeFrom = checkpoint }))[0], expected);
        }
    }

    [Theory]
    [InlineData("lookup", null)]
    [InlineData("lookup", SamplingMode.Rejection)]
    [InlineData("both", SamplingMode.Coupled)]
    public void A_sequence_that_looks_up_goes_on_as_if_nothing_had_been(string proposer, SamplingMode? mode)
    {
        // A bias leaves few tokens to choose from, so that the output repeats itself.
        var request = Request(mode) with
        {
            PromptTokenIds = [5, 6, 7, 5],
            Proposer = ProposerText.Parse(proposer),
        };
        request = request with
        {
            Sampling = request.Sampling with { LogitBias = request.PromptTokenIds.Distinct().ToDictionary(id => id, _ => 9f) },
        };
        var draft = proposer == "lookup" ? null : models.Draft;
        using var whole = new LoopUnderTest(models.Target, draft, policy: "static:3");
        var expected = whole.RunToEnd(whole.Add(request))[0];
        expected.Trace.LookupProposed.ShouldBeGreaterThan(0);

        for (var rounds = 2; rounds < 10; rounds += 3)
        {
            var control = new GenerationControl();
            using var first = new LoopUnderTest(models.Target, draft, policy: "static:3");
            var interrupted = first.Add(request with { Control = control });
            for (var round = 0; round < rounds; round++)
            {
                first.Step();
            }

            control.Suspend();
            var checkpoint = Copy(first.RunToEnd(interrupted)[0].Checkpoint.ShouldNotBeNull());
            using var next = new LoopUnderTest(models.Target, draft, policy: "static:3");
            var resumed = next.Add(request with { ResumeFrom = checkpoint });
            resumed.LookupAcceptance.SelectMany(one => one.Export()).ShouldBe(checkpoint.Acceptance[2..]);
            var result = next.RunToEnd(resumed)[0];
            result.TokenIds.ShouldBe(expected.TokenIds);
            if (proposer == "lookup") // beside a draft it depends on what all sequences have taught which of the two proposes
            {
                result.Trace.Iterations.ProposedBy.ShouldBe(expected.Trace.Iterations.ProposedBy);
                result.Trace.Iterations.Accepted.ShouldBe(expected.Trace.Iterations.Accepted);
                result.Trace.Proposals.OnPath.ShouldBe(expected.Trace.Proposals.OnPath);
                result.Trace.LookupAccepted.ShouldBe(expected.Trace.LookupAccepted);
            }
        }
    }

    [Fact]
    public void What_the_guard_knows_of_a_sequence_goes_on_with_it()
    {
        var checkpoint = Copy(Interrupt(Request(SamplingMode.Coupled), "static:3", rounds: 8));
        using var loop = new LoopUnderTest(models.Target, models.Draft, policy: "dsde");

        var sequence = loop.Add(Request(SamplingMode.Coupled) with { ResumeFrom = checkpoint });

        checkpoint.Acceptance[1].ShouldBeGreaterThan(5, "So many proposals were judged.");
        sequence.Acceptance.Export().ShouldBe(checkpoint.Acceptance);
        sequence.Acceptance.Exponent(0.5).ShouldNotBe(1);
    }

    [Fact]
    public void Checkpoints_come_by_themselves_and_each_leads_to_the_same_end()
    {
        var checkpoints = new List<SequenceCheckpoint>();
        var request = Request(SamplingMode.Coupled);
        using var loop = new LoopUnderTest(models.Target, models.Draft);
        var control = new GenerationControl { CheckpointInterval = 10, Checkpointed = checkpoints.Add };
        var expected = loop.RunToEnd(loop.Add(request with { Control = control }))[0];

        checkpoints.Count.ShouldBeInRange(3, 4);
        foreach (var checkpoint in checkpoints)
        {
            using var next = new LoopUnderTest(models.Target, models.Draft);
            ShouldBeSame(next.RunToEnd(next.Add(request with { ResumeFrom = Copy(checkpoint) }))[0], expected);
        }
    }

    [Fact]
    public void A_sequence_suspended_while_it_waits_or_works_on_its_prompt_begins_again()
    {
        var control = new GenerationControl();
        using var loop = new LoopUnderTest(models.Target, models.Draft, batchSize: 1, budget: 2);
        var running = loop.Add(Request(null) with { Control = control });
        var waiting = loop.Add(Request(null) with { Control = control });
        loop.Step();

        control.Suspend();
        var results = loop.RunToEnd(running, waiting);

        foreach (var result in results)
        {
            result.FinishReason.ShouldBe(FinishReason.Suspended);
            result.TokenIds.ShouldBeEmpty();
            var again = loop.RunToEnd(loop.Add(Request(null) with { ResumeFrom = Copy(result.Checkpoint.ShouldNotBeNull()) }))[0];
            again.TokenIds.Count.ShouldBe(Length);
        }
    }

    [Fact]
    public void A_coupled_text_goes_on_the_same_under_another_policy_and_among_others()
    {
        var request = Request(SamplingMode.Coupled);
        using var loop = new LoopUnderTest(models.Target, models.Draft);
        var expected = loop.RunToEnd(loop.Add(request))[0];
        var checkpoint = Interrupt(request, "static:2", 5);

        using var other = new LoopUnderTest(models.Target, models.Draft, batchSize: 6, budget: 3, policy: "dsde");
        var neighbours = Prompts(5).Select(prompt => other.Add(Greedy(prompt, 40))).ToArray();
        var resumed = other.RunToEnd([other.Add(request with { ResumeFrom = checkpoint }), .. neighbours])[0];

        resumed.TokenIds.ShouldBe(expected.TokenIds);
        resumed.Text.ShouldBe(expected.Text);
        resumed.Trace.Policy.ShouldBe("dsde");
    }

    [Theory]
    [InlineData("dsde")]
    [InlineData("static:3")]
    public void In_deterministic_numerics_a_coupled_text_that_was_interrupted_is_the_same_bit_for_bit(string policy)
    {
        var request = Request(SamplingMode.Coupled);
        using var undisturbed = new LoopUnderTest(models.Target, models.Draft, policy: policy, change: Deterministic);
        var expected = undisturbed.RunToEnd(undisturbed.Add(request))[0];

        foreach (var round in (int[])[1, 4, 9])
        {
            var checkpoint = Copy(Interrupt(request, policy, round, Deterministic));
            using var loop = new LoopUnderTest(models.Target, models.Draft, budget: 3, policy: "static:2", change: Deterministic);
            var neighbours = Prompts(3).Select(prompt => loop.Add(Greedy(prompt, 30))).ToArray();
            var resumed = loop.RunToEnd([loop.Add(request with { ResumeFrom = checkpoint }), .. neighbours])[0];
            resumed.TokenIds.ShouldBe(expected.TokenIds);
            resumed.Text.ShouldBe(expected.Text);
            resumed.TokenLogProbabilities.ShouldBe(expected.TokenLogProbabilities);
            resumed.Trace.Tokens.Margin.ShouldBe(expected.Trace.Tokens.Margin);
        }

        static void Deterministic(EngineOptions options) => options.Numerics = "deterministic";
    }

    [Fact]
    public async Task A_checkpoint_of_something_else_is_refused()
    {
        var request = Request(null);
        var checkpoint = Interrupt(request, "dsde", 3);
        await using var engine = Load(models.Target, models.Draft);

        await ShouldRefuse(request with { PromptTokenIds = [1, 2], ResumeFrom = checkpoint }, "another prompt");
        await ShouldRefuse(request with { ResumeFrom = checkpoint with { Version = SequenceCheckpoint.CurrentVersion + 1 } }, "version 5");
        await ShouldRefuse(request with { MaxTokens = checkpoint.TokenIds.Length, ResumeFrom = checkpoint }, "leaves nothing");
        await ShouldRefuse(request with { ResumeFrom = checkpoint with { DraftLength = 1000 } }, "contradicts itself");
        (
            await engine.GenerateAsync(request with { ResumeFrom = checkpoint }, TestContext.Current.CancellationToken)
        ).TokenIds.Count.ShouldBe(Length);

        async Task ShouldRefuse(GenerationRequest refused, string reason) =>
            (
                await Should.ThrowAsync<ArgumentException>(() => engine.GenerateAsync(refused, TestContext.Current.CancellationToken))
            ).Message.ShouldContain(reason);
    }

    [Fact]
    public async Task A_checkpoint_with_a_series_that_is_shorter_than_the_others_is_refused_before_it_gets_near_the_batch()
    {
        var request = Request(null);
        var checkpoint = Interrupt(request, "dsde", 3);
        var trace = checkpoint.Trace;
        SequenceCheckpoint[] torn =
        [
            checkpoint with
            {
                TokenLogProbabilities = checkpoint.TokenLogProbabilities[1..],
            },
            checkpoint with
            {
                TopLogProbabilities =
                [
                    [],
                ],
            },
            With(trace with { Tokens = trace.Tokens with { DraftMatch = trace.Tokens.DraftMatch[1..] } }),
            With(trace with { Tokens = trace.Tokens with { Margin = [] } }),
            With(trace with { Iterations = trace.Iterations with { Accepted = [] } }),
            With(trace with { Iterations = trace.Iterations with { VerifyMs = trace.Iterations.VerifyMs[1..] } }),
            With(trace with { Proposals = trace.Proposals with { Kld = trace.Proposals.Kld[1..] } }),
            With(trace with { Proposals = trace.Proposals with { OnPath = [] } }),
        ];
        await using var engine = Load(models.Target, models.Draft);

        foreach (var one in torn)
        {
            (
                await Should.ThrowAsync<ArgumentException>(() =>
                    engine.GenerateAsync(request with { ResumeFrom = one }, TestContext.Current.CancellationToken)
                )
            ).Message.ShouldContain("contradicts itself");
        }

        SequenceCheckpoint With(Telemetry.GenerationTrace changed) => checkpoint with { Trace = changed };
    }

    private static GenerationRequest Request(SamplingMode? mode) =>
        mode is null
            ? Greedy(Prompt, Length) with
            {
                IgnoreEos = true,
            }
            : Sampled(Prompt, Length, seed: 11, topK: 40) with
            {
                IgnoreEos = true,
                Sampling = new SamplingParameters
                {
                    Seed = 11,
                    TopK = 40,
                    Mode = mode,
                },
            };

    private SequenceCheckpoint Interrupt(GenerationRequest request, string policy, int rounds, Action<EngineOptions>? change = null)
    {
        using var loop = new LoopUnderTest(models.Target, models.Draft, policy: policy, change: change);
        var control = new GenerationControl();
        var sequence = loop.Add(request with { Control = control });
        for (var round = 0; round < rounds; round++)
        {
            loop.Step();
        }

        control.Suspend();
        var result = loop.RunToEnd(sequence)[0];
        result.FinishReason.ShouldBe(FinishReason.Suspended);
        return result.Checkpoint.ShouldNotBeNull();
    }

    /// <summary>As it would come back from where it was kept.</summary>
    private static SequenceCheckpoint Copy(SequenceCheckpoint checkpoint) =>
        JsonSerializer.Deserialize<SequenceCheckpoint>(JsonSerializer.Serialize(checkpoint)).ShouldNotBeNull();

    private static void ShouldBeSame(GenerationResult actual, GenerationResult expected)
    {
        actual.TokenIds.ShouldBe(expected.TokenIds);
        actual.Text.ShouldBe(expected.Text);
        actual.FinishReason.ShouldBe(expected.FinishReason);
        actual.TokenLogProbabilities.Count.ShouldBe(expected.TokenLogProbabilities.Count);
        actual.Trace.Iterations.SpeculationLength.ShouldBe(expected.Trace.Iterations.SpeculationLength);
        actual.Trace.Iterations.Accepted.ShouldBe(expected.Trace.Iterations.Accepted);
        actual.Trace.Iterations.Wish.ShouldBe(expected.Trace.Iterations.Wish);
        actual.Trace.Iterations.Allowed.ShouldBe(expected.Trace.Iterations.Allowed);
        actual.Trace.Iterations.DecidedBy.ShouldBe(expected.Trace.Iterations.DecidedBy);
        actual.Trace.Tokens.DraftMatch.ShouldBe(expected.Trace.Tokens.DraftMatch);
        actual.Trace.Accepted.ShouldBe(expected.Trace.Accepted);
        actual.Trace.Proposed.ShouldBe(expected.Trace.Proposed);
        actual.Trace.CalibrationMaxLength.ShouldBe(expected.Trace.CalibrationMaxLength);
        actual.Trace.Proposals.OnPath.ShouldBe(expected.Trace.Proposals.OnPath);
        for (var i = 0; i < actual.Trace.Proposals.Kld.Length; i++)
        {
            actual.Trace.Proposals.Kld[i].ShouldBe(expected.Trace.Proposals.Kld[i], 1e-3f);
        }
    }
}
