using System.Text.Json;
using Dsde.Engine.Sampling;
using Dsde.Engine.Tests.Batching;
using Dsde.Grammars;
using Dsde.Speculation;
using Json.Schema;
using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Generation;

/// <summary>Outputs that are held to a grammar, by random models that would rather write something else.</summary>
public sealed class GrammarTests(TestPair models) : IClassFixture<TestPair>
{
    private const int MaxTokens = 100;

    private static readonly string[] Schemas =
    [
        """{"type":"object","properties":{"label":{"enum":["good","bad","neither"]},"sure":{"type":"boolean"}}"""
            + ""","required":["label","sure"]}""",
        """{"type":"object","properties":{"id":{"type":"integer","minimum":3,"maximum":4000}"""
            + ""","tags":{"type":"array","items":{"type":"string","maxLength":4},"maxItems":2}},"required":["id"]}""",
        """{"type":"object","properties":{"when":{"type":"string","format":"date"}"""
            + ""","code":{"type":"string","pattern":"^[A-Z]{2}\\d$"},"more":{"anyOf":[{"type":"null"}"""
            + """,{"type":"number","minimum":0,"maximum":1}]}},"required":["when","code","more"]}""",
        """{"$ref":"#/$defs/tree","$defs":{"tree":{"type":"object","properties":{"v":{"type":"string","minLength":1"""
            + ""","maxLength":2},"next":{"type":"array","items":{"$ref":"#/$defs/tree"},"maxItems":1}},"required":["v"]}}}""",
    ];

    public static TheoryData<float, SamplingMode?> Modes =>
        new()
        {
            { 0f, null },
            { 1f, SamplingMode.Coupled },
            { 1.5f, SamplingMode.Coupled },
            { 1.5f, SamplingMode.Rejection },
        };

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Every_output_that_is_not_cut_is_valid_whatever_speculates(float temperature, SamplingMode? mode)
    {
        await using var engine = Load(models.Target, models.Draft, "static:3", batchSize: 7);
        var requests = Requests(temperature, mode, 56);

        var results = await engine.GenerateAllAsync(requests);

        var ended = 0;
        for (var i = 0; i < results.Length; i++)
        {
            if (results[i].FinishReason == FinishReason.Length)
            {
                results[i].TokenIds.Count.ShouldBe(MaxTokens);
                continue;
            }

            results[i].FinishReason.ShouldBe(FinishReason.Stop);
            ShouldBeValid(results[i].Text, Schemas[i % Schemas.Length]);
            ended++;
        }

        ended.ShouldBeGreaterThan(results.Length / 2);
        results.Sum(result => result.Trace.Accepted).ShouldBeGreaterThan(results.Length, "Proposals are held to the grammar, too.");
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(1.3f)]
    public async Task A_seeds_text_is_the_same_under_every_policy_and_batch(float temperature)
    {
        var requests = Requests(temperature, temperature == 0 ? null : SamplingMode.Coupled, 24);
        GenerationResult[] expected;
        await using (var alone = Load(models.Target, null, "autoregressive", batchSize: 1, change: Deterministic))
        {
            expected = await alone.GenerateAllAsync(requests);
        }

        await using var engine = Load(
            models.Target,
            models.Draft,
            batchSize: 9,
            change: options =>
            {
                Deterministic(options);
                options.PrefillTokenBudget = 5;
            }
        );
        foreach (var policy in (string[])["static:1", "static:6", "dsde", "adaedl", "goodput", "autoregressive"])
        {
            var results = await engine.GenerateAllAsync(
                requests.Select(request => request with { Policy = PolicyConfiguration.Parse(policy) })
            );
            results.Select(result => result.TokenIds).ShouldBe(expected.Select(result => result.TokenIds), policy);
            results.Select(result => result.Text).ShouldBe(expected.Select(result => result.Text));
        }

        static void Deterministic(EngineOptions options) => options.Numerics = "deterministic";
    }

    [Theory]
    [InlineData("static:3")]
    [InlineData("dsde")]
    public void An_output_is_taken_up_again_inside_an_object(string policy)
    {
        var request = Requests(1.2f, SamplingMode.Coupled, 3)[2];
        using var undisturbed = new LoopUnderTest(models.Target, models.Draft, policy: policy);
        var expected = undisturbed.RunToEnd(undisturbed.Add(request))[0];
        expected.TokenIds.Count.ShouldBeGreaterThan(15);

        for (var round = 1; round < expected.Trace.Iterations.Accepted.Length; round += 3)
        {
            var checkpoint = Interrupt(request, policy, round);
            using var second = new LoopUnderTest(models.Target, models.Draft, policy: policy);

            var resumed = second.RunToEnd(second.Add(request with { ResumeFrom = checkpoint }))[0];

            resumed.TokenIds.ShouldBe(expected.TokenIds);
            resumed.Text.ShouldBe(expected.Text);
        }
    }

    [Fact]
    public async Task A_checkpoint_whose_text_the_grammar_does_not_allow_is_refused()
    {
        var free = Greedy([5, 6, 7], 40);
        var checkpoint = Interrupt(free);
        await using var engine = Load(models.Target, models.Draft);

        var request = free with { ResumeFrom = checkpoint, Grammar = Schema(Schemas[0]) };

        (
            await Should.ThrowAsync<ArgumentException>(() => engine.GenerateAsync(request, TestContext.Current.CancellationToken))
        ).Message.ShouldContain("not what the grammar allows");
    }

    [Fact]
    public async Task Jobs_without_a_grammar_are_what_they_are_without_such_neighbours()
    {
        await using var engine = Load(models.Target, models.Draft, "static:3", batchSize: 8);
        var free = Prompts(8).Select((prompt, i) => Sampled(prompt, 30, (ulong)i)).ToArray();
        var expected = await engine.GenerateAllAsync(free);

        var mixed = await engine.GenerateAllAsync([.. free, .. Requests(1f, SamplingMode.Coupled, 8)]);

        expected.Zip(mixed).Count(pair => !Sameness.ShouldBeSame(pair.Second, pair.First)).ShouldBeLessThanOrEqualTo(1);
    }

    [Fact]
    public async Task Truncation_and_penalties_choose_among_what_is_allowed()
    {
        await using var engine = Load(models.Target, models.Draft, "static:3", batchSize: 8);
        var requests = SamplingMixes
            .Requests([.. SamplingMixes.Sampled, .. SamplingMixes.Greedy], SamplingMode.Coupled, Prompts(33), MaxTokens)
            .Select(request => request with { Grammar = Schema(Schemas[2]) });

        foreach (var result in await engine.GenerateAllAsync(requests))
        {
            ShouldBeValid(result.Text, Schemas[2]);
        }
    }

    [Fact]
    public async Task Choices_and_expressions_are_held_to_as_well()
    {
        await using var engine = Load(models.Target, models.Draft, "static:2");
        var choice = Grammar.Compile(new GrammarDefinition(GrammarKind.Choice, """["yes","no","not sure"]"""));
        var expression = Grammar.Compile(new GrammarDefinition(GrammarKind.Regex, "(the )?[a-f]{3}\\.|ä+!"));

        var results = await engine.GenerateAllAsync(
            Prompts(20).Select((prompt, i) => Sampled(prompt, 40, (ulong)i, 1.5f) with { Grammar = i % 2 == 0 ? choice : expression })
        );

        for (var i = 0; i < results.Length; i++)
        {
            results[i].FinishReason.ShouldBe(FinishReason.Stop);
            results[i].Text.ShouldMatch(i % 2 == 0 ? "^(yes|no|not sure)$" : "^((the )?[a-f]{3}\\.|ä+!)$");
        }

        results.Select(result => result.Text).Distinct().Count().ShouldBeGreaterThan(5);
    }

    [Fact]
    public async Task An_end_token_comes_only_where_the_output_may_end_and_none_is_needed_where_nothing_else_could_follow()
    {
        await using var engine = Load(models.Target, models.Draft, "static:3");
        const int x = 'x';
        var bias = new Dictionary<int, float> { [TestModelFolder.TextEnd] = 100f, [x] = 50f };
        GenerationRequest Held(string expression) =>
            Greedy([1, 2, 3], 20) with
            {
                Grammar = Grammar.Compile(new GrammarDefinition(GrammarKind.Regex, expression)),
                Sampling = new SamplingParameters { Temperature = 0, LogitBias = bias },
            };

        var results = await engine.GenerateAllAsync([Held("x{3,5}"), Held("x{3}")]);

        results[0].TokenIds.ShouldBe([x, x, x, TestModelFolder.TextEnd]);
        results[1].TokenIds.ShouldBe([x, x, x]);
        results.Select(result => (result.Text, result.FinishReason)).ShouldBe([("xxx", FinishReason.Stop), ("xxx", FinishReason.Stop)]);
    }

    [Theory]
    [InlineData("ax+b", "static:3")]
    [InlineData("(a|c)(a|c)xb", "static:1")]
    [InlineData("(a|c)(a|c)xb", "static:3")]
    [InlineData("(a|c)(a|c)(a|c)(a|c)xb", "static:3")]
    [InlineData("(a|c)(a|c)xb", "autoregressive")]
    public async Task An_output_that_the_models_tokens_can_not_go_on_with_fails_alone_and_says_so(string pattern, string policy)
    {
        await using var engine = Load(models.Target, models.Draft, policy);
        // A token that ends outputs is never part of one: here it would have to be.
        var stuck = Greedy([1, 2, 3], 20) with
        {
            Grammar = Grammar.Compile(new GrammarDefinition(GrammarKind.Regex, pattern)),
            StopTokenIds = ['x'],
        };

        var neighbour = engine.GenerateAsync(Greedy([4], 20), TestContext.Current.CancellationToken);
        var failure = await Should.ThrowAsync<EngineFailureException>(() =>
            engine.GenerateAsync(stuck, TestContext.Current.CancellationToken)
        );

        failure.Message.ShouldContain("no token of the model");
        (await neighbour).TokenIds.Count.ShouldBe(20);
    }

    [Fact]
    public async Task A_stop_string_ends_an_output_where_it_stands()
    {
        await using var engine = Load(models.Target, models.Draft, "static:3");
        var request = Greedy([1, 2, 3], 60) with { Grammar = Schema(Schemas[0]), StopStrings = ["\"sure\""] };

        var result = await engine.GenerateAsync(request, TestContext.Current.CancellationToken);

        result.FinishReason.ShouldBe(FinishReason.Stop);
        result.Text.ShouldMatch("^\\{\"label\": ?\"(good|bad|neither)\", ?$");
    }

    [Fact]
    public async Task Log_probabilities_are_the_models_own_of_all_tokens()
    {
        await using var engine = Load(models.Target, models.Draft, "static:3");
        var request = Greedy([1, 2, 3], 60) with { Grammar = Schema(Schemas[0]), TopLogProbabilityCount = 5 };

        var result = await engine.GenerateAsync(request, TestContext.Current.CancellationToken);

        result.TopLogProbabilities.Count.ShouldBe(result.TokenIds.Count);
        var free = await engine.GenerateAsync(request with { Grammar = null, MaxTokens = 1 }, TestContext.Current.CancellationToken);
        result.TopLogProbabilities[0].Select(token => token.TokenId).ShouldBe(free.TopLogProbabilities[0].Select(token => token.TokenId));
        result.TokenIds[0].ShouldNotBe(free.TokenIds[0], "The model would rather write something else.");
        result.TokenLogProbabilities[0].ShouldBeLessThan(result.TopLogProbabilities[0][0].LogProbability);
    }

    [Fact]
    public async Task End_tokens_that_are_ordinary_and_a_grammar_contradict_each_other()
    {
        await using var engine = Load(models.Target, models.Draft);

        (
            await Should.ThrowAsync<ArgumentException>(() =>
                engine.GenerateAsync(
                    Greedy([1], 5) with
                    {
                        Grammar = Schema(Schemas[0]),
                        IgnoreEos = true,
                    },
                    TestContext.Current.CancellationToken
                )
            )
        ).Message.ShouldContain("IgnoreEos");
    }

    [Fact]
    public async Task A_survey_of_an_output_of_a_grammar_gives_the_same_output()
    {
        await using var engine = Load(models.Target, models.Draft, "static:3");
        var requests = Requests(1f, SamplingMode.Coupled, 8);
        var plain = await engine.GenerateAllAsync(requests);

        var surveyed = await engine.GenerateAllAsync(
            requests.Select(request => request with { IsSurvey = true, Policy = PolicyConfiguration.Parse("static:64") })
        );

        surveyed.Select(result => result.TokenIds).ShouldBe(plain.Select(result => result.TokenIds));
    }

    private SequenceCheckpoint Interrupt(GenerationRequest request, string policy = "static:3", int rounds = 2)
    {
        var control = new GenerationControl();
        using var loop = new LoopUnderTest(models.Target, models.Draft, policy: policy);
        var sequence = loop.Add(request with { Control = control });
        for (var round = 0; round < rounds; round++)
        {
            loop.Step();
        }

        control.Suspend();
        return loop.RunToEnd(sequence)[0].Checkpoint.ShouldNotBeNull();
    }

    private static GenerationRequest[] Requests(float temperature, SamplingMode? mode, int count) =>
        [
            .. Prompts(count)
                .Select(
                    (prompt, i) =>
                        new GenerationRequest
                        {
                            PromptTokenIds = prompt,
                            MaxTokens = MaxTokens,
                            Grammar = Schema(Schemas[i % Schemas.Length]),
                            Sampling = new SamplingParameters
                            {
                                Temperature = temperature,
                                Mode = mode,
                                Seed = (ulong)i,
                            },
                        }
                ),
        ];

    private static Grammar Schema(string schema) => Grammar.Compile(new GrammarDefinition(GrammarKind.JsonSchema, schema));

    private static void ShouldBeValid(string text, string schema)
    {
        using var document = JsonDocument.Parse(text);
        JsonSchema
            .FromText(schema, new BuildOptions { SchemaRegistry = new() })
            .Evaluate(document.RootElement, new EvaluationOptions { RequireFormatValidation = true })
            .IsValid.ShouldBeTrue($"{text} by {schema}");
    }
}
