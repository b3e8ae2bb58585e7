using Dsde.Engine.Sampling;
using Dsde.Engine.Tests.Batching;
using Dsde.Engine.Tests.Sampling;
using Dsde.Grammars;
using Dsde.Speculation;
using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Generation;

/// <summary>Tokens that a grammar forces are had without a model. They change how fast a text comes, never the text.</summary>
public sealed class ForcedTokenTests(TestPair models) : IClassFixture<TestPair>
{
    private const int MaxTokens = 120;

    /// <summary>Long names; no token of the test models spells more than three of their letters.</summary>
    private const string Schema = """
        {"type":"object","properties":{"complaint_summary":{"type":"string","minLength":1,"maxLength":5},
        "customer_category":{"enum":["good_customer","bad_customer"]},"is_urgent_complaint":{"type":"boolean"}},
        "required":["complaint_summary","customer_category","is_urgent_complaint"]}
        """;

    /// <summary>A letter to choose before each run and behind it; more in a row than a block holds.</summary>
    private const string LongRun = "[ab](qzw){8}[cd]k[cd]k[cd]";

    [Theory]
    [InlineData("autoregressive", "draft", 0f, 1)]
    [InlineData("static:1", "draft", 0f, 4)]
    [InlineData("static:6", "draft", 0f, 4)]
    [InlineData("dsde", "draft", 0f, 4)]
    [InlineData("adaedl", "draft", 0f, 4)]
    [InlineData("goodput", "both", 0f, 1)]
    [InlineData("static:4", "lookup", 0f, 4)]
    [InlineData("autoregressive", "draft", 1.2f, 4)]
    [InlineData("static:6", "draft", 1.2f, 1)]
    [InlineData("dsde", "draft", 1.2f, 4)]
    [InlineData("dsde-reference", "both", 1.2f, 4)]
    [InlineData("adaedl", "draft", 1.2f, 4)]
    [InlineData("static:4", "lookup", 1.2f, 4)]
    public async Task A_seeds_text_is_what_it_is_when_every_token_is_the_models_own(
        string policy,
        string proposer,
        float temperature,
        int batchSize
    )
    {
        var requests = Requests(temperature, 16);
        await using var engine = Load(
            models.Target,
            models.Draft,
            policy,
            batchSize,
            options => (options.Numerics, options.Proposer) = ("deterministic", proposer)
        );

        var expected = await engine.GenerateAllAsync(requests.Select(WithoutForcing));
        var results = await engine.GenerateAllAsync(requests);

        expected.ShouldAllBe(result => result.Trace.Forced == 0);
        results.ShouldAllBe(result => result.Trace.Forced > 10);
        for (var i = 0; i < results.Length; i++)
        {
            results[i].TokenIds.ShouldBe(expected[i].TokenIds);
            Sameness.ShouldBeSame(results[i], expected[i]);
            results[i].TopLogProbabilities.Count.ShouldBe(results[i].TokenIds.Count);
            results[i].Trace.Tokens.Margin.ShouldBe(expected[i].Trace.Tokens.Margin, 1e-3f);
        }
    }

    [Fact]
    public async Task Without_any_speculation_each_forced_token_saves_a_pass_of_the_target()
    {
        await using var engine = Load(models.Target, draft: null, "autoregressive");

        foreach (var result in await engine.GenerateAllAsync(Requests(0.9f, 12)))
        {
            var trace = result.Trace;
            trace.Iterations.Accepted.Length.ShouldBe(trace.CompletionTokens - 1 - trace.Forced);
            trace.Forced.ShouldBeGreaterThan(trace.CompletionTokens / 4);
            (trace.Proposed, trace.Accepted).ShouldBe((0, 0));
        }
    }

    [Fact]
    public async Task What_is_forced_counts_neither_as_proposed_nor_as_accepted_and_has_no_divergence()
    {
        await using var engine = Load(models.Target, models.Draft, "static:3");
        var before = engine.GetSnapshot();

        var results = await engine.GenerateAllAsync(Requests(1.2f, 12));

        foreach (var trace in results.Select(result => result.Trace))
        {
            var steps = trace.Iterations;
            trace.Proposed.ShouldBe(steps.SpeculationLength.Sum());
            trace.Proposals.Kld.Length.ShouldBe(trace.Proposed);
            trace.Proposals.Kld.ShouldAllBe(kld => float.IsFinite(kld));
            steps.Forced.Length.ShouldBe(steps.Accepted.Length);
            steps.Forced.Sum().ShouldBe(trace.Forced, "None was cut off.");
            (1 + steps.Forced.Sum() + steps.Accepted.Sum() + steps.Accepted.Length).ShouldBeInRange(
                trace.CompletionTokens,
                trace.CompletionTokens + 4, // a proposal may complete the output
                "Every token is the prompt's, forced, accepted or the target's own."
            );
            for (var (i, token) = (0, 1); i < steps.Forced.Length; token += steps.Forced[i] + steps.Accepted[i] + 1, i++)
            {
                trace.Tokens.DraftMatch[token..(token + steps.Forced[i])].ShouldAllBe(match => match == -1);
                trace.Tokens.Margin[token..(token + steps.Forced[i])].ShouldAllBe(margin => margin == TokenMeasures.LargestMargin);
            }
        }

        var after = engine.GetSnapshot();
        (after.Forced - before.Forced).ShouldBe(results.Sum(result => result.Trace.Forced));
        (after.Proposed - before.Proposed).ShouldBe(results.Sum(result => result.Trace.Proposed));
        (after.Accepted - before.Accepted).ShouldBe(results.Sum(result => result.Trace.Accepted));
    }

    /// <summary>Whatever was forced it must have read before it proposes behind it.</summary>
    [Theory]
    [InlineData("static:1")]
    [InlineData("static:5")]
    [InlineData("adaedl")]
    public async Task A_draft_that_is_the_target_is_never_wrong_behind_what_is_forced(string policy)
    {
        await using var engine = Load(models.Target, models.Target, policy, change: options => options.Numerics = "deterministic");

        var results = await engine.GenerateAllAsync([.. Requests(0, 8), .. Requests(1.1f, 8)]);

        results.Sum(result => result.Trace.Forced).ShouldBeGreaterThan(200);
        foreach (var steps in results.Select(result => result.Trace.Iterations))
        {
            // What stands behind the end of an output is judged by nothing.
            steps.Accepted.SkipLast(1).ShouldBe(steps.SpeculationLength.SkipLast(1));
        }
    }

    [Theory]
    [InlineData("autoregressive", SamplingMode.Rejection)]
    [InlineData("static:3", SamplingMode.Rejection)]
    [InlineData("dsde", SamplingMode.Rejection)]
    [InlineData("static:2", SamplingMode.Coupled)]
    public async Task Outputs_follow_the_constrained_targets_distribution(string policy, SamplingMode mode)
    {
        const int draws = 3000;
        const string expression = "[ab]qzw[cd]k[cd]k[cd]";
        var parameters = new SamplingParameters { Temperature = 1.6f, Mode = mode };
        int[] prompt = [17, 101, 32];
        await using var engine = Load(models.Target, models.Draft, policy, batchSize: 64);

        var results = await engine.GenerateAllAsync(
            Enumerable
                .Range(0, draws)
                .Select(i => new GenerationRequest
                {
                    PromptTokenIds = prompt,
                    MaxTokens = 20,
                    Grammar = Expression(expression),
                    Sampling = parameters with { Seed = (ulong)i * 7919 },
                })
        );

        results.ShouldAllBe(result => result.Trace.Forced >= 3);
        var observed = results.CountBy(result => result.Text).ToDictionary();
        ChiSquare.ShouldFollow(observed, Expected(), draws);

        Dictionary<string, double> Expected()
        {
            using var target = new TargetAlone(models.Target);
            Dictionary<string, double> outputs = new() { [""] = 1 };
            foreach (var letters in (string[])["ab", "q", "z", "w", "cd", "k", "cd", "k", "cd"])
            {
                outputs = outputs
                    .SelectMany(output =>
                    {
                        int[] written = [.. output.Key.Select(letter => (int)letter)];
                        var logits = target.LogitsAfter([.. prompt, .. written]);
                        var held = logits.Select((logit, id) => letters.Contains((char)id, StringComparison.Ordinal) ? logit : -1e30f);
                        var next = ReferenceSampler.Distribution([.. held], parameters, prompt, written);
                        return letters.Select(letter => (Text: output.Key + letter, Chance: output.Value * next[letter]));
                    })
                    .ToDictionary(output => output.Text, output => output.Chance);
            }

            return outputs;
        }
    }

    [Theory]
    [InlineData("autoregressive", 0f)]
    [InlineData("static:3", 0f)]
    [InlineData("static:3", 1.3f)]
    [InlineData("dsde", 1.3f)]
    public void An_output_is_taken_up_again_within_a_run_that_is_longer_than_a_block(string policy, float temperature)
    {
        var request = Requests(temperature, 1)[0] with { Grammar = Expression(LongRun) };
        using var undisturbed = new LoopUnderTest(models.Target, models.Draft, policy: policy);
        var expected = undisturbed.RunToEnd(undisturbed.Add(request))[0];
        expected.Text.ShouldMatch($"^{LongRun}$");
        expected.Trace.Iterations.Forced.ShouldContain(10, "as many as a block holds");

        for (var round = 1; round < expected.Trace.Iterations.Accepted.Length; round++)
        {
            var control = new GenerationControl();
            using var first = new LoopUnderTest(models.Target, models.Draft, policy: policy);
            var sequence = first.Add(request with { Control = control });
            for (var i = 0; i < round; i++)
            {
                first.Step();
            }

            control.Suspend();
            var checkpoint = first.RunToEnd(sequence)[0].Checkpoint.ShouldNotBeNull();
            using var second = new LoopUnderTest(models.Target, models.Draft, policy: policy);

            var resumed = second.RunToEnd(second.Add(request with { ResumeFrom = checkpoint }))[0];

            resumed.TokenIds.ShouldBe(expected.TokenIds);
            resumed.Trace.Forced.ShouldBe(expected.Trace.Forced);
            resumed.Trace.Iterations.Forced.ShouldBe(expected.Trace.Iterations.Forced);
        }
    }

    [Theory]
    [InlineData("autoregressive")]
    [InlineData("static:3")]
    public async Task Limits_and_stop_strings_cut_a_run_where_they_stand(string policy)
    {
        await using var engine = Load(models.Target, models.Draft, policy);
        var request = Greedy([1, 2, 3], 7) with { Grammar = Expression(LongRun) };

        var results = await engine.GenerateAllAsync([request, request with { MaxTokens = 40, StopStrings = ["zwqzwq"] }]);

        results[0].FinishReason.ShouldBe(FinishReason.Length);
        results[0].Text.ShouldMatch("^[ab]qzwqzw$");
        results[1].FinishReason.ShouldBe(FinishReason.Stop);
        results[1].Text.ShouldMatch("^[ab]q$");
        results[0].Trace.Forced.ShouldBe(5, "The first token is the prompt's, and the last the target's own.");
        results[1].Trace.Forced.ShouldBe(7, "The first token is the prompt's, and what was proposed behind the end is not kept.");
    }

    [Fact]
    public async Task A_profiled_and_guarded_engine_gives_the_same_texts()
    {
        var requests = Requests(0, 12);
        await using var engine = Load(
            models.Target,
            models.Draft,
            "dsde",
            change: options =>
            {
                options.Numerics = "deterministic";
                options.CostGuard = true;
                options.ProfileSeconds = 0.5;
            }
        );

        var (results, expected) = (await engine.GenerateAllAsync(requests), await engine.GenerateAllAsync(requests.Select(WithoutForcing)));

        results.ShouldAllBe(result => result.Trace.IsGuarded && result.Trace.Forced > 10);
        results.Select(result => result.TokenIds).ShouldBe(expected.Select(result => result.TokenIds));
    }

    /// <summary>A survey asks what the models say everywhere, and without proposals it decodes token by token.</summary>
    private static GenerationRequest WithoutForcing(GenerationRequest request) =>
        request with
        {
            IsSurvey = true,
            Policy = PolicyConfiguration.Autoregressive,
            Proposer = Proposer.Draft,
        };

    /// <summary>One in three has penalties and truncation, which look at what was forced as at any token.</summary>
    private static GenerationRequest[] Requests(float temperature, int count) =>
        [
            .. Prompts(count)
                .Select(
                    (prompt, i) =>
                        new GenerationRequest
                        {
                            PromptTokenIds = prompt,
                            MaxTokens = MaxTokens,
                            TopLogProbabilityCount = 2,
                            Grammar = Grammar.Compile(new GrammarDefinition(GrammarKind.JsonSchema, Schema)),
                            Sampling = new SamplingParameters
                            {
                                Temperature = temperature,
                                Mode = temperature == 0 ? null : SamplingMode.Coupled,
                                Seed = (ulong)i,
                                RepetitionPenalty = i % 3 == 2 ? 1.4f : 1,
                                FrequencyPenalty = i % 3 == 2 ? 0.6f : 0,
                                TopP = i % 3 == 2 ? 0.9f : 1,
                            },
                        }
                ),
        ];

    private static Grammar Expression(string expression) => Grammar.Compile(new GrammarDefinition(GrammarKind.Regex, expression));
}
