using System.Text.Json;
using Dsde.Batches.Files;

namespace Dsde.Batches.Tests.Files;

public sealed class ChatToolsTests
{
    private const string Tool = """{"type":"function","function":{"name":"add"}}""";

    [Fact]
    public async Task A_chat_with_tools_calls_and_answers_is_passed_on_as_it_was_written()
    {
        var job = await JobLines.ReadJobAsync(
            Chat(
                """{"role":"user","content":"a"},{"role":"assistant","content":null,"reasoning_content":"hm","""
                    + """ "tool_calls":[{"id":"1","""
                    + """ "type":"function","function":{"name":"add","arguments":"{\"b\":1}"}}]},"""
                    + """{"role":"tool","tool_call_id":"1","name":"add","content":"""
                    + """[{"type":"text","text":"x"},{"type":"text","text":"y"}]}""",
                $$"""
                "tools":[{{Tool}}],"tool_choice":"auto","parallel_tool_calls":true,"documents":[{"text":"t"}],
                "chat_template_kwargs":{"enable_thinking":false}
                """
            )
        );

        var (asked, called, answered) = (job.Messages![0], job.Messages[1], job.Messages[2]);
        asked.Content.ShouldBe("a");
        called.Content.ShouldBeNull();
        called.ReasoningContent.ShouldBe("hm");
        called.ToolCalls.ShouldHaveSingleItem().GetProperty("function").GetProperty("arguments").GetString().ShouldBe("{\"b\":1}");
        (answered.Role, answered.ToolCallId, answered.Name, answered.Content).ShouldBe(("tool", "1", "add", "x\ny"));
        job.Tools.ShouldHaveSingleItem().GetRawText().ShouldBe(Tool);
        job.Documents.ShouldHaveSingleItem().GetProperty("text").GetString().ShouldBe("t");
        job.ChatTemplateKwargs.ShouldNotBeNull()["enable_thinking"].ValueKind.ShouldBe(JsonValueKind.False);
    }

    [Theory]
    [InlineData("\"tools\":{}", "tools must be a list of objects, but is an object.")]
    [InlineData("\"tools\":[{}]", "tools[0] has no function with a name; give {\"type\": \"function\",")]
    [InlineData("\"tools\":[" + Tool + "],\"parallel_tool_calls\":false", "parallel_tool_calls is false, but the output is")]
    [InlineData("\"tools\":[" + Tool + "],\"tool_choice\":\"required\"", "tool_choice is \"required\", which is not supported; only")]
    [InlineData("\"documents\":[\"text\"]", "documents[0] must be an object, but is a string.")]
    [InlineData("\"documents\":[{\"a\":1,\"a\":2}]", "documents[0] has an entry twice; give it once.")]
    [InlineData("\"chat_template_kwargs\":[]", "chat_template_kwargs must be an object, but is a list.")]
    [InlineData("\"chat_template_kwargs\":{\"a\":1,\"a\":2}", "chat_template_kwargs has 'a' twice; give it once.")]
    [InlineData("\"chat_template_kwargs\":{\"tools\":[]}", "chat_template_kwargs has 'tools', which is not for jobs to set;")]
    [InlineData("\"chat_template_kwarg\":{}", "the nearest field is chat_template_kwargs.")]
    public async Task What_a_template_can_not_be_given_is_refused_by_name(string fields, string message) =>
        (await JobLines.ReadErrorAsync(Chat("""{"role":"user","content":"a"}""", fields))).Message.ShouldContain(message);

    [Theory]
    [InlineData("""{"role":"tool","tool_call_id":"1"}""", "messages[0].content is missing; give a text.")]
    [InlineData("""{"role":"user","content":"a","tool_call_id":"1"}""", "messages[0] answers a call of a tool, but has the role 'user'")]
    [InlineData("""{"role":"assistant","tool_calls":[{}]}""", "has no function with a name")]
    [InlineData("""{"role":"assistant","tool_calls":"f()"}""", "messages[0].tool_calls must be a list of objects")]
    [InlineData("""{"role":"function","name":"f","content":"a"}""", "has the role 'function'; give system, user, assistant, tool.")]
    public async Task Calls_and_answers_of_another_form_are_refused_by_name(string message, string says) =>
        (await JobLines.ReadErrorAsync(Chat(message, "\"n\":1"))).Message.ShouldContain(says);

    [Theory]
    [InlineData("tools")]
    [InlineData("documents")]
    [InlineData("chat_template_kwargs")]
    public async Task Completions_have_no_template_to_give_anything(string field)
    {
        (await JobLines.ReadErrorAsync(JobLines.Completion($"\"{field}\":[{{\"a\":1}}]"))).Message.ShouldContain("/v1/chat/completions");
        (await JobLines.ReadJobAsync(JobLines.Completion($"\"{field}\":[]"))).Tools.ShouldBeNull();
    }

    private static string Chat(string messages, string fields) =>
        """{"custom_id":"a","url":"/v1/chat/completions","body":{"model":"m","messages":["""
        + $"{messages}],{fields.ReplaceLineEndings("")}"
        + "}}";
}
