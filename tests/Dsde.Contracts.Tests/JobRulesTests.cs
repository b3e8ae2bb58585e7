using System.Text.Json;

namespace Dsde.Contracts.Tests;

/// <summary>Texts and shapes that can't be stored are tried with the reader of messages; these are the other rules.</summary>
public sealed class JobRulesTests
{
    private static readonly SubmitGenerationJob Plain = new()
    {
        JobId = Guid.Parse("6f9619ff-8b86-d011-b42d-00c04fc964ff"),
        Model = "target",
        Prompt = "Once",
    };

    public static TheoryData<SubmitGenerationJob, string, string> Mistakes =>
        new()
        {
            { Plain with { MaxTokens = 0 }, "maxTokens is 0; give at least 1, or leave it out.", "max_tokens" },
            { Plain with { Temperature = 2.5 }, "temperature is 2.5; give 0 (greedy) to 2.", "temperature" },
            { Plain with { TopP = 0 }, "topP is 0; give more than 0 and at most 1.", "top_p" },
            { Plain with { TopK = -1 }, "topK is -1; give 0 (off) or more.", "top_k" },
            { Plain with { MinP = 1.5 }, "minP is 1.5; give 0 (off) to 1.", "min_p" },
            { Plain with { RepetitionPenalty = 0 }, "repetitionPenalty is 0; give 0.01 to 100; 1 is off.", "repetition_penalty" },
            { Plain with { PresencePenalty = -2.5 }, "presencePenalty is -2.5; give -2 to 2; 0 is off.", "presence_penalty" },
            { Plain with { FrequencyPenalty = double.NaN }, "frequencyPenalty is NaN; give -2 to 2; 0 is off.", "frequency_penalty" },
            { Plain with { Temperature = double.PositiveInfinity }, "temperature is beyond 1.8e308; give 0 (greedy) to 2.", "temperature" },
            { Bias("3", double.NegativeInfinity), "logitBias of token 3 is below -1.8e308; give -100 to 100.", "logit_bias" },
            { Bias("the", 1), "logitBias has the token 'the'; give token ids, from 0 on.", "logit_bias" },
            { Bias("-1", 1), "logitBias has the token '-1'; give token ids, from 0 on.", "logit_bias" },
            { Bias("3", 101), "logitBias of token 3 is 101; give -100 to 100.", "logit_bias" },
            { Plain with { StopTokenIds = new int[257] }, "stopTokenIds has 257 tokens; give at most 256.", "stop_token_ids" },
            { Plain with { ChoiceCount = 0 }, "choiceCount is 0; give 1 to 128.", "n" },
            {
                Plain with
                {
                    TopLogProbabilityCount = 21,
                    ReturnLogProbabilities = true,
                },
                "topLogProbabilityCount is 21; give 0 to 20.",
                "top_logprobs"
            },
            {
                Plain with
                {
                    SamplingMode = "shared",
                },
                "samplingMode is 'shared'; give rejection or coupled, or leave it out.",
                "sampling_mode"
            },
            { Plain with { BatchJobCount = 2 }, "batchJobCount is 2, but batchId is missing; give both, or neither.", "batch_job_count" },
            { Plain with { Prompt = null }, "Neither prompt nor messages is given; give one of them.", "prompt" },
            { Plain with { Prompt = "" }, "prompt is empty; give at least one character.", "prompt" },
            { Plain with { Prompt = null, Messages = [] }, "messages is empty; give at least one.", "messages" },
            {
                Plain with
                {
                    Prompt = null,
                    Messages = [new ChatMessage { Role = "root", Content = "a" }],
                },
                "messages has the role 'root'; give system, user, assistant, tool.",
                "messages"
            },
            { Chat(new ChatMessage { Role = "user" }), "messages[0].content is missing; give a text.", "messages" },
            {
                Chat(Turn("user") with { ToolCalls = [Json("{}")] }),
                "messages[0] has calls of tools, but the role 'user'; only assistant calls tools.",
                "messages"
            },
            {
                Chat(Turn("user") with { ReasoningContent = "hm" }),
                "messages[0] has reasoning, but the role 'user'; only assistant reasons.",
                "messages"
            },
            {
                Chat(Turn("assistant") with { ToolCallId = "1" }),
                "messages[0] answers a call of a tool, but has the role 'assistant'; give tool, or leave the call's id out.",
                "messages"
            },
            { Call("{}"), "messages[0].toolCalls[0] has no function with a name; give {\"id\": …,", "messages" },
            { Call("""{"function":{"name":""}}"""), "has no function with a name; give", "messages" },
            { Call("7"), "messages[0].toolCalls[0] must be an object, but is 7.", "messages" },
            { Call("""{"function":{"name":"f","arguments":"{"}}"""), "has arguments that are no JSON object; give an object,", "messages" },
            { Call("""{"function":{"name":"f","arguments":"7"}}"""), "has arguments that are no JSON object; give an object,", "messages" },
            { Call("""{"function":{"name":"f","arguments":[1]}}"""), "has arguments that are no JSON object; give an object,", "messages" },
            {
                Call("""{"function":{"name":"f","arguments":"{\"a\":1,\"a\":2}"}}"""),
                "messages[0].toolCalls[0] has an entry twice; give it once.",
                "messages"
            },
            { Chat(Turn("user")) with { Tools = [Json("null")] }, "tools[0] must be an object, but is null.", "tools" },
            {
                Chat(Turn("user")) with
                {
                    Tools = [Json("{}")],
                },
                "tools[0] has no function with a name; give {\"type\": \"function\",",
                "tools"
            },
            {
                Plain with
                {
                    Tools = [Json("""{"name":"f"}""")],
                },
                "tools is given, but messages is not: only chats have a template.",
                "tools"
            },
            { Chat(Turn("user")) with { Documents = [Json("\"text\"")] }, "documents[0] must be an object, but is a string.", "documents" },
            {
                Chat(Turn("user")) with
                {
                    Documents = new JsonElement[4097],
                },
                "documents has 4097 entries; give at most 4096.",
                "documents"
            },
            {
                Variable("add_generation_prompt", "false"),
                "has 'add_generation_prompt', which is not for jobs to set; leave",
                "chat_template_kwargs"
            },
            { Variable("bos_token", "\"\""), "has 'bos_token', which is not for jobs to set; leave it out.", "chat_template_kwargs" },
            { Variable("x", "[1e400]"), "Kwargs.x has a number beyond 1.8e308; give a smaller one.", "chat_template_kwargs" },
        };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_mistake_is_named_as_its_sender_wrote_it_with_its_value_and_what_is_allowed(
        SubmitGenerationJob job,
        string message,
        string nameInFiles
    )
    {
        JobRules.FindMistake(job, JobFieldNames.InMessages).ShouldNotBeNull().Message.ShouldContain(message);

        var inFile = JobRules.FindMistake(job, JobFieldNames.InBatchFiles).ShouldNotBeNull();
        inFile.Field.ShouldBe(nameInFiles);
        inFile.Message.ShouldContain(nameInFiles);
    }

    [Fact]
    public void A_contradiction_names_both_fields_as_they_are_called()
    {
        var job = Plain with { TopLogProbabilityCount = 2 };

        JobRules
            .FindMistake(job, JobFieldNames.InBatchFiles)
            ?.Message.ShouldBe("top_logprobs is 2, but log-probabilities are not asked for; ask for them with logprobs as well.");
        JobRules.FindMistake(job, JobFieldNames.InMessages)?.Message.ShouldEndWith("ask for them with returnLogProbabilities as well.");
    }

    [Fact]
    public void A_job_with_every_value_at_its_bounds_has_no_mistake() =>
        JobRules
            .FindMistake(
                Plain with
                {
                    Temperature = 2,
                    TopP = 1,
                    TopK = 0,
                    MinP = 0,
                    RepetitionPenalty = 100,
                    PresencePenalty = -2,
                    FrequencyPenalty = 2,
                    MaxTokens = 1,
                    ChoiceCount = 128,
                    TopLogProbabilityCount = 20,
                    ReturnLogProbabilities = true,
                    LogitBias = new Dictionary<string, double> { ["0"] = -100 },
                    StopTokenIds = new int[256],
                },
                JobFieldNames.InMessages
            )
            .ShouldBeNull();

    private static ChatMessage Turn(string role) => new() { Role = role, Content = "a" };

    private static SubmitGenerationJob Chat(ChatMessage turn) => Plain with { Prompt = null, Messages = [turn] };

    private static SubmitGenerationJob Call(string json) => Chat(new ChatMessage { Role = "assistant", ToolCalls = [Json(json)] });

    private static SubmitGenerationJob Variable(string name, string json) =>
        Chat(Turn("user")) with
        {
            ChatTemplateKwargs = new Dictionary<string, JsonElement> { [name] = Json(json) },
        };

    private static JsonElement Json(string json) => JsonSerializer.Deserialize<JsonElement>(json);

    private static SubmitGenerationJob Bias(string token, double bias) =>
        Plain with
        {
            LogitBias = new Dictionary<string, double> { [token] = bias },
        };
}
