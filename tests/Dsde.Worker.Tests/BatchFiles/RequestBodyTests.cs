using Dsde.Worker.BatchFiles;

namespace Dsde.Worker.Tests.BatchFiles;

public sealed class RequestBodyTests
{
    [Fact]
    public async Task Every_supported_field_of_a_completion_arrives()
    {
        var job = await JobLines.ReadJobAsync(JobLines.Completion(
            """
            "max_tokens":9,"temperature":0.5,"top_p":0.9,"top_k":40,"stop":["x","y"],"seed":11,"logprobs":0,
            "return_token_ids":true,"metadata":{"workload":"stories"},"policy":"static:3","priority":2
            """.ReplaceLineEndings(" ")));

        job.CustomId.ShouldBe("a");
        job.BatchId.ShouldBe(JobLines.BatchId);
        job.Model.ShouldBe("demo");
        job.Prompt.ShouldBe("Once");
        job.Messages.ShouldBeNull();
        (job.MaxTokens, job.Temperature, job.TopP, job.TopK).ShouldBe((9, 0.5, 0.9, 40));
        job.Stop.ShouldBe(["x", "y"]);
        (job.Seed, job.Policy, job.Priority).ShouldBe((11L, "static:3", 2));
        (job.ReturnLogProbabilities, job.ReturnTokenIds).ShouldBe((true, true));
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
        var line = """{"custom_id":"a","url":"/v1/chat/completions","body":{"model":"m","max_completion_tokens":5,"logprobs":true,"messages":["""
            + """{"role":"developer","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"Hi "},{"type":"text","text":"you"}]}]}}""";

        var job = await JobLines.ReadJobAsync(line);

        job.Prompt.ShouldBeNull();
        job.Messages.ShouldNotBeNull().Select(message => (message.Role, message.Content)).ShouldBe([("system", "Be brief."), ("user", "Hi you")]);
        (job.MaxTokens, job.ReturnLogProbabilities).ShouldBe((5, true));
    }

    [Fact]
    public async Task Stop_may_be_one_string_and_a_prompt_a_list_of_one()
    {
        var line = """{"custom_id":"a","url":"/v1/completions","body":{"model":"m","prompt":["only"],"stop":"END"}}""";

        var job = await JobLines.ReadJobAsync(line);

        (job.Prompt, job.Stop.ShouldNotBeNull().Single()).ShouldBe(("only", "END"));
    }

    [Theory]
    [InlineData("\"n\":1,\"stream\":false,\"user\":\"u\",\"presence_penalty\":0,\"frequency_penalty\":0.0,\"logit_bias\":{},\"echo\":false,\"best_of\":1")]
    [InlineData("\"response_format\":{\"type\":\"text\"},\"tools\":[],\"service_tier\":\"auto\",\"store\":true,\"top_logprobs\":0")]
    public async Task OpenAI_fields_at_values_that_change_nothing_pass(string fields)
        => (await JobLines.ReadJobAsync(JobLines.Completion(fields))).Prompt.ShouldBe("Once");

    [Theory]
    [InlineData("\"n\":2", "body.n")]
    [InlineData("\"stream\":true", "body.stream")]
    [InlineData("\"presence_penalty\":0.5", "body.presence_penalty")]
    [InlineData("\"tools\":[{}]", "body.tools")]
    [InlineData("\"response_format\":{\"type\":\"json_object\"}", "body.response_format")]
    [InlineData("\"top_logprobs\":3", "body.top_logprobs")]
    [InlineData("\"logprobs\":5", "body.logprobs")]
    [InlineData("\"echo\":true", "body.echo")]
    public async Task OpenAI_fields_that_would_change_the_output_are_refused_by_name(string fields, string field)
    {
        var error = await JobLines.ReadErrorAsync(JobLines.Completion(fields));

        error.Code.ShouldBe(LineErrorCodes.Unsupported);
        error.Field.ShouldBe(field);
        error.Message.ShouldContain(field);
    }

    [Fact]
    public async Task A_misspelt_field_is_not_ignored()
    {
        var error = await JobLines.ReadErrorAsync(JobLines.Completion("\"max_token\":5"));

        error.Code.ShouldBe(LineErrorCodes.UnknownField);
        error.Message.ShouldContain("'body.max_token'");
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
    public async Task Bad_messages_name_the_message(string messages, string field)
    {
        var line = $$$"""{"custom_id":"a","url":"/v1/chat/completions","body":{"model":"m","messages":{{{messages}}}}}""";

        (await JobLines.ReadErrorAsync(line)).Field.ShouldBe(field);
    }
}
