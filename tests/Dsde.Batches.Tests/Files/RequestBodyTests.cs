using Dsde.Batches.Files;
using Dsde.Contracts;

namespace Dsde.Batches.Tests.Files;

public sealed class RequestBodyTests
{
    [Fact]
    public async Task Every_supported_field_of_a_completion_arrives()
    {
        var job = await JobLines.ReadJobAsync(
            JobLines.Completion(
                """
                "max_tokens":9,"temperature":0.5,"top_p":0.9,"top_k":40,"stop":["x","y"],"seed":11,"logprobs":0,
                "return_token_ids":true,"return_tokens_as_token_ids":true,"metadata":{"workload":"stories"},"policy":"static:3","priority":2
                """.ReplaceLineEndings(" ")
            )
        );

        job.CustomId.ShouldBe("a");
        job.BatchId.ShouldBe(JobLines.BatchId);
        job.Model.ShouldBe("demo");
        job.Prompt.ShouldNotBeNull().Text.ShouldBe("Once");
        job.Messages.ShouldBeNull();
        (job.MaxTokens, job.Temperature, job.TopP, job.TopK).ShouldBe((9, 0.5, 0.9, 40));
        job.Stop.ShouldBe(["x", "y"]);
        (job.Seed, job.Policy, job.Priority).ShouldBe((11L, "static:3", 2));
        (job.ReturnLogProbabilities, job.ReturnTokenIds, job.ReturnTokensAsTokenIds).ShouldBe((true, true, true));
        job.Metadata.ShouldNotBeNull()["workload"].ShouldBe("stories");
    }

    [Fact]
    public async Task Fields_left_out_or_null_are_left_to_the_worker()
    {
        var job = await JobLines.ReadJobAsync(JobLines.Completion("\"temperature\":null,\"stop\":null,\"presence_penalty\":null"));

        (job.MaxTokens, job.Temperature, job.TopP, job.TopK, job.Seed, job.Policy).ShouldBe((null, null, null, null, null, null));
        (job.Stop, job.Metadata, job.ReturnLogProbabilities, job.ReturnTokenIds).ShouldBe((null, null, null, null));
    }

    [Fact]
    public async Task Chat_content_may_be_text_or_text_parts()
    {
        var line =
            """{"custom_id":"a","url":"/v1/chat/completions","body":{"model":"m","max_completion_tokens":5,"logprobs":true,"messages":["""
            + """{"role":"developer","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"Hi"}"""
            + """,{"type":"text","text":"you"}]}]}}""";

        var job = await JobLines.ReadJobAsync(line);

        job.Prompt.ShouldBeNull();
        job.Messages.ShouldNotBeNull()
            .Select(message => (message.Role, message.Content))
            .ShouldBe([("system", "Be brief."), ("user", "Hi\nyou")]);
        (job.MaxTokens, job.ReturnLogProbabilities).ShouldBe((5, true));
    }

    [Fact]
    public async Task Sampling_fields_of_OpenAI_and_vLLM_are_taken_over()
    {
        var job = await JobLines.ReadJobAsync(
            JobLines.Completion(
                "\"n\":3,\"min_p\":0.1,\"repetition_penalty\":1.2,\"presence_penalty\":0.5,\"frequency_penalty\":-1,"
                    + "\"logit_bias\":{\"7\":-100},"
                    + "\"stop_token_ids\":[4,5],\"ignore_eos\":true,\"sampling_mode\":\"coupled\",\"logprobs\":5"
            )
        );

        (job.ChoiceCount, job.MinP, job.RepetitionPenalty, job.PresencePenalty, job.FrequencyPenalty).ShouldBe((3, 0.1, 1.2, 0.5, -1));
        (job.IgnoreEos, job.SamplingMode, job.ReturnLogProbabilities, job.TopLogProbabilityCount).ShouldBe((true, "coupled", true, 5));
        job.LogitBias.ShouldNotBeNull()["7"].ShouldBe(-100);
        job.StopTokenIds.ShouldBe([4, 5]);
    }

    [Theory]
    [InlineData("\"logprobs\":0", true, null)]
    [InlineData("\"logprobs\":1", true, 1)]
    [InlineData("\"logprobs\":null", null, null)]
    public async Task Completions_ask_for_log_probabilities_with_one_number(string fields, bool? wanted, int? top)
    {
        var job = await JobLines.ReadJobAsync(JobLines.Completion(fields));

        (job.ReturnLogProbabilities, job.TopLogProbabilityCount).ShouldBe((wanted, top));
    }

    [Theory]
    [InlineData("\"logprobs\":true,\"top_logprobs\":4", true, 4)]
    [InlineData("\"logprobs\":true", true, null)]
    [InlineData("\"logprobs\":false,\"top_logprobs\":0", false, null)]
    public async Task Chats_ask_for_log_probabilities_with_a_flag_and_a_number(string fields, bool? wanted, int? top)
    {
        var job = await JobLines.ReadJobAsync(
            $$$"""{"custom_id":"a","url":"/v1/chat/completions","body":{"model":"m","messages":[{"role":"user","content":"x"}]"""
                + $$$""",{{{fields}}}}}"""
        );

        (job.ReturnLogProbabilities, job.TopLogProbabilityCount).ShouldBe((wanted, top));
    }

    [Fact]
    public async Task Stop_may_be_one_string_and_a_prompt_a_list_of_one()
    {
        var line = """{"custom_id":"a","url":"/v1/completions","body":{"model":"m","prompt":["only"],"stop":"END"}}""";

        var job = await JobLines.ReadJobAsync(line);

        (job.Prompt?.Text, job.Stop.ShouldNotBeNull().Single()).ShouldBe(("only", "END"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Formats_of_outputs_are_taken_in_chats_and_completions_in_every_spelling(bool isChat)
    {
        const string schema = """{"type":"object","properties":{"a":{"type":"integer"}}}""";

        (
            await FormatOf($"\"response_format\":{{\"type\":\"json_schema\",\"json_schema\":{{\"name\":\"x\",\"schema\":{schema}}}}}")
        ).ShouldBe(new OutputFormat(OutputKind.JsonSchema, schema));
        (await FormatOf("\"response_format\":{\"type\":\"json_object\"}")).ShouldBe(new OutputFormat(OutputKind.JsonObject, ""));
        (await FormatOf("\"response_format\":{\"type\":\"text\"}")).ShouldBeNull();
        (await FormatOf($"\"guided_json\":{schema}")).ShouldBe(new OutputFormat(OutputKind.JsonSchema, schema));
        (await FormatOf("\"guided_regex\":\"a+\"")).ShouldBe(new OutputFormat(OutputKind.Regex, "a+"));
        (await FormatOf("\"guided_choice\":[\"a\",\"b\"]")).ShouldBe(new OutputFormat(OutputKind.Choice, """["a","b"]"""));

        async Task<OutputFormat?> FormatOf(string fields) =>
            OutputFormat.Find(await JobLines.ReadJobAsync(isChat ? JobLines.Chat(fields) : JobLines.Completion(fields)))?.Format;
    }

    [Theory]
    [InlineData("\"stream\":false,\"user\":\"u\",\"echo\":false,\"best_of\":1")]
    [InlineData("\"n\":3,\"best_of\":3.0")] // all that are made are given
    [InlineData("\"response_format\":{\"type\":\"text\"},\"tools\":[],\"service_tier\":\"auto\",\"store\":true,\"top_logprobs\":0")]
    public async Task OpenAI_fields_at_values_that_change_nothing_pass(string fields) =>
        (await JobLines.ReadJobAsync(JobLines.Completion(fields))).Prompt.ShouldNotBeNull().Text.ShouldBe("Once");

    [Theory]
    [InlineData("\"stream\":true", "body.stream")]
    [InlineData("\"tools\":[{}]", "body.tools")]
    [InlineData("\"top_logprobs\":3", "body.top_logprobs")]
    [InlineData("\"echo\":true", "body.echo")]
    [InlineData("\"suffix\":\"end\"", "body.suffix")]
    [InlineData("\"best_of\":2", "body.best_of")]
    [InlineData("\"n\":2,\"best_of\":3", "body.best_of")]
    [InlineData("\"messages\":[]", "body.messages")]
    [InlineData("\"custom_id\":\"a\"", "body.custom_id")]
    public async Task OpenAI_fields_that_would_change_a_completion_are_refused_by_name(string fields, string field) =>
        await ShouldBeUnsupportedAsync(JobLines.Completion(fields), field);

    [Theory]
    [InlineData("\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}}", "body.tool_choice")]
    [InlineData("\"tool_choice\":\"required\"", "body.tool_choice")]
    [InlineData("\"functions\":[{}]", "body.functions")]
    [InlineData("\"modalities\":[\"text\",\"audio\"]", "body.modalities")]
    [InlineData("\"audio\":{}", "body.audio")]
    [InlineData("\"prediction\":{\"type\":\"content\"}", "body.prediction")]
    [InlineData("\"reasoning_effort\":\"high\"", "body.reasoning_effort")]
    [InlineData("\"verbosity\":\"low\"", "body.verbosity")]
    [InlineData("\"web_search_options\":{}", "body.web_search_options")]
    [InlineData("\"prompt\":\"x\"", "body.prompt")]
    [InlineData("\"best_of\":2", "body.best_of")]
    public async Task OpenAI_fields_that_would_change_a_chat_are_refused_by_name(string fields, string field) =>
        await ShouldBeUnsupportedAsync(JobLines.Chat(fields), field);

    [Fact]
    public async Task What_is_ignored_is_listed_and_what_passes_as_neutral_is_not()
    {
        var line = (
            await JobLines.ReadAsync(JobLines.Chat("\"user\":\"u\",\"store\":true,\"service_tier\":\"flex\",\"stream\":false"))
        ).ShouldHaveSingleItem();

        line.Error.ShouldBeNull();
        line.IgnoredFields.ShouldBe(["body.user", "body.store", "body.service_tier"]);
    }

    [Theory]
    [InlineData("max_token", "max_tokens")]
    [InlineData("maxTokens", "max_tokens")]
    [InlineData("tempertaure", "temperature")]
    public async Task A_misspelt_field_is_refused_as_it_was_written_with_the_nearest_known_one(string given, string meant)
    {
        var error = await JobLines.ReadErrorAsync(JobLines.Completion($"\"{given}\":1"));

        error.Code.ShouldBe(LineErrorCodes.UnknownField);
        error.Message.ShouldBe($"{given} is not known here; the nearest field is {meant}. Correct the name, or leave it out.");
    }

    [Theory]
    [InlineData("[1,2,3]")]
    [InlineData("[[1,2.0,3]]")]
    public async Task A_prompt_may_be_token_ids(string prompt)
    {
        var job = await JobLines.ReadJobAsync(CompletionOf($"\"prompt\":{prompt}"));

        job.Prompt.ShouldHaveSingleItem().TokenIds.ShouldBe([1, 2, 3]);
    }

    [Fact]
    public async Task Several_prompts_may_be_texts_and_token_ids()
    {
        var job = await JobLines.ReadJobAsync(CompletionOf("\"prompt\":[\"a\",[1,2],\"\u00e4\"],\"n\":2"));

        job.Prompt.ShouldNotBeNull().Select(prompt => prompt.Text).ShouldBe(["a", null, "ä"]);
        job.Prompt[1].TokenIds.ShouldBe([1, 2]);
    }

    [Theory]
    [InlineData("\"prompt\":[\"a\",\"\"]", "body.prompt")]
    [InlineData("\"prompt\":[[1],[2,null]]", "body.prompt")]
    [InlineData("\"prompt\":[\"a\",\"b\"],\"n\":65", "body.prompt")]
    [InlineData("\"prompt\":[]", "body.prompt")]
    [InlineData("\"prompt\":[1,\"a\"]", "body.prompt")]
    [InlineData("\"prompt\":[1.5]", "body.prompt")]
    [InlineData("\"prompt\":\"a\",\"expires_at\":\"tomorrow\"", "body.expires_at")]
    public async Task Prompts_and_deadlines_of_another_form_are_refused_by_name(string fields, string field) =>
        (await JobLines.ReadErrorAsync(CompletionOf(fields))).Field.ShouldBe(field);

    [Theory]
    [InlineData("2026-11-26T12:00:00")]
    [InlineData("2026-11-26T21:00:00+09:00")]
    public async Task A_deadline_without_an_offset_is_UTC(string deadline) =>
        (await JobLines.ReadJobAsync(JobLines.Completion($"\"expires_at\":\"{deadline}\""))).ExpiresAt.ShouldBe(
            new DateTimeOffset(2026, 11, 26, 12, 0, 0, TimeSpan.Zero)
        );

    [Fact]
    public async Task Replayed_answers_may_have_names_nothing_called_and_nothing_said()
    {
        var job = await JobLines.ReadJobAsync(
            """{"custom_id":"a","url":"/v1/chat/completions","body":{"model":"m","max_tokens":12.0,"messages":["""
                + """{"role":"user","content":"a","name":"ann"},{"role":"assistant","content":null,"tool_calls":null,"annotations":[]}]}}"""
        );

        job.MaxTokens.ShouldBe(12);
        job.Messages.ShouldNotBeNull()
            .ShouldBe([
                new ChatMessage
                {
                    Role = "user",
                    Content = "a",
                    Name = "ann",
                },
                new ChatMessage { Role = "assistant" },
            ]);
    }

    private static string CompletionOf(string fields) =>
        $$"""{"custom_id":"a","url":"/v1/completions","body":{"model":"m",{{fields}}""" + "}}";

    [Fact]
    public async Task A_field_that_is_there_twice_is_refused()
    {
        var error = await JobLines.ReadErrorAsync(JobLines.Completion("\"max_tokens\":1,\"max_tokens\":2"));

        (error.Code, error.Field).ShouldBe((LineErrorCodes.InvalidValue, "body.max_tokens"));
    }

    [Theory]
    [InlineData("\"max_tokens\":1.5", "body.max_tokens")]
    [InlineData("\"max_tokens\":\"5\"", "body.max_tokens")]
    [InlineData("\"max_tokens\":5,\"max_completion_tokens\":6", "body.max_tokens")]
    [InlineData("\"temperature\":\"hot\"", "body.temperature")]
    [InlineData("\"stop\":[1]", "body.stop")]
    [InlineData("\"seed\":1e30", "body.seed")]
    [InlineData("\"top_k\":99999999999", "body.top_k")]
    [InlineData("\"metadata\":{\"a\":1}", "body.metadata")]
    [InlineData("\"n\":\"two\"", "body.n")]
    [InlineData("\"logit_bias\":{\"5\":\"x\"}", "body.logit_bias")]
    [InlineData("\"stop_token_ids\":[\"a\"]", "body.stop_token_ids")]
    [InlineData("\"ignore_eos\":0", "body.ignore_eos")]
    [InlineData("\"return_token_ids\":1", "body.return_token_ids")]
    public async Task A_value_of_the_wrong_type_names_the_field(string fields, string field)
    {
        var error = await JobLines.ReadErrorAsync(JobLines.Completion(fields));

        error.Code.ShouldBe(LineErrorCodes.InvalidValue);
        error.Field.ShouldBe(field);
    }

    [Theory]
    [InlineData("""[{"content":"x"}]""", "body.messages[0].role")]
    [InlineData("""[{"role":"user"}]""", "body.messages[0].content")]
    [InlineData("""[{"role":"user","content":[{"type":"image_url"}]}]""", "body.messages[0].content")]
    [InlineData("""[]""", "body.messages")]
    [InlineData("""[{"role":"user","content":"x","audio":{}}]""", "body.messages[0].audio")]
    [InlineData("""[{"role":"user","content":[{"type":"text","text":"x","cache":1}]}]""", "body.messages[0].content[0].cache")]
    public async Task Bad_messages_name_the_message(string messages, string field)
    {
        var line = $$$"""{"custom_id":"a","url":"/v1/chat/completions","body":{"model":"m","messages":{{{messages}}}}}""";

        (await JobLines.ReadErrorAsync(line)).Field.ShouldBe(field);
    }

    private static async Task ShouldBeUnsupportedAsync(string line, string field)
    {
        var error = await JobLines.ReadErrorAsync(line);

        (error.Code, error.Field).ShouldBe((LineErrorCodes.Unsupported, field));
        error.Message.ShouldStartWith(field["body.".Length..]);
    }
}
