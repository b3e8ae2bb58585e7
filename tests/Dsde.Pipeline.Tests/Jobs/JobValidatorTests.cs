using System.Text.Json;
using Dsde.Contracts;
using Dsde.Engine;
using Dsde.Engine.Sampling;
using Dsde.Grammars;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Hosting;
using Dsde.Pipeline.Jobs.Run;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Tests.Jobs;

public sealed class JobValidatorTests
{
    private static readonly SubmitGenerationJob Plain = new()
    {
        JobId = Guid.Parse("6f9619ff-8b86-d011-b42d-00c04fc964ff"),
        Model = "dsde-demo",
        Prompt = "Once",
    };

    public static TheoryData<SubmitGenerationJob, string> Mistakes =>
        new()
        {
            { Plain with { MinP = 1.5 }, "minP is 1.5; give 0 (off) to 1." },
            {
                Plain with
                {
                    LogitBias = new Dictionary<string, double> { ["256"] = 1 },
                },
                "logitBias has the token 256; give token ids from 0 to 255."
            },
            { Plain with { Prompt = JobPrompts.FromTokenIds([1, 256]) }, "prompt has the token 256; give token ids from 0 to 255." },
            {
                Plain with
                {
                    Prompt = Prompts("a", JobPrompt.OfTokenIds([1, 256])),
                },
                "prompt[1] has the token 256; give token ids from 0 to 255."
            },
            {
                Plain with
                {
                    GuidedJson = Json("""{"type":"object","properties":{"a":{"not":{}}}}"""),
                },
                "guidedJson can't be used: #/properties/a/not is not supported; supported are type, nullable,"
                    + " $ref, const, enum, anyOf, oneOf, "
                    + "allOf, properties, required, additionalProperties, items, prefixItems, minItems, maxItems,"
                    + " minLength, maxLength, pattern, "
                    + "format, minimum, maximum, exclusiveMinimum, exclusiveMaximum. Remove the keyword."
            },
            {
                Plain with
                {
                    ResponseFormat = Json("""{"type":"json_schema","json_schema":{"schema":{"type":"what"}}}"""),
                },
                "responseFormat can't be used: #/type must be one of object, array, string, number, integer,"
                    + " boolean, null, or a list of these."
            },
            {
                Plain with
                {
                    GuidedRegex = "a(?=b)",
                },
                "guidedRegex can't be used: character 4 looks ahead or behind, or sets a flag, which no automaton does; leave it out."
            },
            { Plain with { GuidedChoice = ["a"], GuidedRegex = "a" }, "guidedChoice is given beside guidedRegex; give one of them." },
            {
                Plain with
                {
                    GuidedChoice = ["a"],
                    IgnoreEos = true,
                },
                "ignoreEos is true, but guidedChoice is given: such an output ends where its format says. Leave one of the two out."
            },
            { Plain with { StopTokenIds = [1, -1] }, "stopTokenIds has the token -1; give token ids from 0 to 255." },
        };

    [Fact]
    public void Tokens_of_a_prompt_are_taken_as_they_stand() =>
        Validate(Plain with { Prompt = JobPrompts.FromTokenIds([7, 0, 255]) }).PromptTokenIds.ShouldBe([7, 0, 255]);

    [Fact]
    public void Each_of_several_prompts_has_its_outputs_one_after_the_other_and_each_a_seed_of_its_own()
    {
        var job = Plain with { Prompt = Prompts("ab", JobPrompt.OfTokenIds([7])), ChoiceCount = 2, Seed = 5 };

        var requests = CreateValidator(ScriptedEngine.Standard).Validate(job);

        requests.Select(request => string.Join(',', request.PromptTokenIds)).ShouldBe(["97,98", "97,98", "7", "7"]);
        requests.Select(request => request.Sampling.Seed).ShouldBe([.. Enumerable.Range(0, 4).Select(output => ChoiceSeeds.Of(5, output))]);
    }

    [Fact]
    public void A_format_becomes_a_grammar_once_for_all_jobs_that_ask_for_the_same()
    {
        var validator = CreateValidator(ScriptedEngine.Standard);
        var schema = """{"type":"object","properties":{"a":{"type":"integer"}}}""";
        var asked = Plain with
        {
            ResponseFormat = Json("{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"x\",\"strict\":true,\"schema\":" + schema + "}}"),
        };

        var grammar = validator.Validate(asked)[0].Grammar.ShouldNotBeNull();

        grammar.Definition.ShouldBe(new GrammarDefinition(GrammarKind.JsonSchema, schema));
        validator.Validate(Plain with { GuidedJson = Json(schema) })[0].Grammar.ShouldBeSameAs(grammar);
        validator.Validate(Plain with { ResponseFormat = Json("""{"type":"text"}""") })[0].Grammar.ShouldBeNull();
        validator.Validate(Plain)[0].Grammar.ShouldBeNull();
        validator
            .Validate(Plain with { GuidedChoice = ["a", "b"] })[0]
            .Grammar.ShouldNotBeNull()
            .Definition.ShouldBe(new GrammarDefinition(GrammarKind.Choice, """["a","b"]"""));
    }

    [Fact]
    public void Masses_too_small_for_single_precision_are_still_more_than_nothing() =>
        Validate(Plain with { TopP = 1e-300 }).Sampling.TopP.ShouldBeGreaterThan(0);

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_mistake_is_named_with_its_value_and_what_is_allowed(SubmitGenerationJob job, string message)
    {
        var rejected = Should.Throw<JobRejectedException>(() => Validate(job));

        (rejected.Failure.Code, rejected.Failure.Message, rejected.Failure.Retryable).ShouldBe(
            (FailureCodes.InvalidRequest, message, false)
        );
    }

    [Fact]
    public void A_prompt_that_does_not_fit_is_refused_and_not_even_encoded_if_no_encoding_could_make_it()
    {
        var text = new string('x', 1_000_000);

        Rejected(Plain with { Prompt = text })
            .Message.ShouldContain("prompt is too long: 1000000 characters, more than the model's context");
        Rejected(Plain with { Prompt = null, Messages = [new ChatMessage { Role = "user", Content = text }] })
            .Code.ShouldBe(FailureCodes.ContextLengthExceeded);
        Rejected(Plain with { Prompt = Prompts("a", new string('b', 64)) })
            .ShouldBe(
                new JobFailure(
                    FailureCodes.ContextLengthExceeded,
                    "prompt[1] is too long: 64 tokens, but the model's context holds 64 with the output; shorten it to 63 or fewer.",
                    Retryable: false
                )
            );
    }

    [Theory]
    [InlineData(true, "prompt")]
    [InlineData(false, "messages")]
    public void A_token_that_only_the_tokenizer_knows_is_named_with_the_field_it_came_from(bool isPlain, string field)
    {
        var job = isPlain ? Plain : Plain with { Prompt = null, Messages = [new ChatMessage { Role = "user", Content = "Once" }] };
        var few = ScriptedEngine.Standard with { VocabularySize = 'n' };

        var rejected = Should.Throw<JobRejectedException>(() => Validate(job, few));

        rejected.Failure.Message.ShouldStartWith($"{field} has the text of token 110, which the tokenizer knows");
        Validate(job, few with { VocabularySize = 'n' + 1 }).PromptTokenIds.ShouldContain('n');
    }

    [Fact]
    public void Every_field_reaches_the_engine()
    {
        var request = Validate(
            Plain with
            {
                Temperature = 0.5,
                TopP = 0.9,
                TopK = 7,
                MinP = 0.25,
                RepetitionPenalty = 1.5,
                PresencePenalty = -1,
                FrequencyPenalty = 2,
                LogitBias = new Dictionary<string, double> { ["3"] = -100, ["4"] = 2.5 },
                SamplingMode = "coupled",
                StopTokenIds = [9],
                IgnoreEos = true,
                ReturnLogProbabilities = true,
                TopLogProbabilityCount = 5,
                Seed = -1,
            }
        );

        var sampling = request.Sampling;
        (sampling.Temperature, sampling.TopP, sampling.TopK, sampling.MinP).ShouldBe((0.5f, 0.9f, 7, 0.25f));
        (sampling.RepetitionPenalty, sampling.PresencePenalty, sampling.FrequencyPenalty).ShouldBe((1.5f, -1f, 2f));
        sampling.LogitBias.ShouldBe(new Dictionary<int, float> { [3] = -100, [4] = 2.5f }, ignoreOrder: true);
        (sampling.Mode, sampling.Seed).ShouldBe((SamplingMode.Coupled, ulong.MaxValue));
        (request.IgnoreEos, request.TopLogProbabilityCount, request.StopTokenIds[0]).ShouldBe((true, 5, 9));
    }

    [Fact]
    public void What_a_job_leaves_out_is_off()
    {
        var request = Validate(Plain);

        var neutral = new SamplingParameters { Seed = request.Sampling.Seed, LogitBias = request.Sampling.LogitBias };
        request.Sampling.ShouldBe(neutral);
        request.Sampling.LogitBias.ShouldBeEmpty();
        (request.IgnoreEos, request.TopLogProbabilityCount, request.StopTokenIds.Count).ShouldBe((false, 0, 0));
    }

    [Fact]
    public void What_a_job_leaves_out_is_as_the_model_has_it_and_the_request_stays_what_was_said()
    {
        var job = Plain with { MaxTokens = 100 };
        var canonical = CanonicalRequest.Write(job).Json;

        var request = Validate(job, Recommended);

        var sampling = request.Sampling;
        (sampling.Temperature, sampling.TopP, sampling.TopK, sampling.MinP).ShouldBe((0.25f, 0.75f, 20, 0.125f));
        (sampling.RepetitionPenalty, sampling.PresencePenalty, sampling.FrequencyPenalty).ShouldBe((1.25f, 0f, 0f));
        request.MaxTokens.ShouldBe(30);
        CanonicalRequest.Write(job).Json.ShouldBe(canonical);
        canonical.ShouldNotContain("temperature");
    }

    [Fact]
    public void What_a_job_says_counts_even_if_it_says_off()
    {
        var request = Validate(
            Plain with
            {
                Temperature = 0,
                TopP = 1,
                TopK = 0,
                MinP = 0,
                RepetitionPenalty = 1,
                MaxTokens = 7,
            },
            Recommended
        );

        var neutral = new SamplingParameters
        {
            Temperature = 0,
            Seed = request.Sampling.Seed,
            LogitBias = request.Sampling.LogitBias,
        };
        request.Sampling.ShouldBe(neutral);
        request.MaxTokens.ShouldBe(7);
    }

    /// <summary>As vLLM has it: a plain prompt's own default is 16 tokens, and the model's limit is a limit.</summary>
    [Theory]
    [InlineData(null, 16)]
    [InlineData(29, 29)]
    [InlineData(31, 30)]
    public void The_models_token_limit_holds_for_every_job(int? wanted, int allowed) =>
        Validate(Plain with { MaxTokens = wanted }, Recommended).MaxTokens.ShouldBe(allowed);

    private static readonly GenerationDefaults Recommended = new()
    {
        Temperature = 0.25,
        TopP = 0.75,
        TopK = 20,
        MinP = 0.125,
        RepetitionPenalty = 1.25,
        MaxTokens = 30,
    };

    private static JobFailure Rejected(SubmitGenerationJob job) => Should.Throw<JobRejectedException>(() => Validate(job)).Failure;

    private static GenerationRequest Validate(SubmitGenerationJob job, GenerationDefaults? defaults = null) =>
        Validate(job, ScriptedEngine.Standard with { Defaults = defaults ?? GenerationDefaults.None });

    private static GenerationRequest Validate(SubmitGenerationJob job, EngineDescription description) =>
        CreateValidator(description).Validate(job).ShouldHaveSingleItem();

    private static JobValidator CreateValidator(EngineDescription description) =>
        new(new ScriptedEngine((_, _) => throw new NotSupportedException()) { Description = description }, new WorkerOptions());

    private static JobPrompts Prompts(params object[] prompts) =>
        new([.. prompts.Select(prompt => prompt as JobPrompt ?? JobPrompt.OfText((string)prompt))]);

    private static JsonElement Json(string text) => JsonSerializer.Deserialize<JsonElement>(text);
}
