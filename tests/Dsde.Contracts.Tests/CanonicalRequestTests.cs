using Dsde.Contracts;

namespace Dsde.Contracts.Tests;

public sealed class CanonicalRequestTests
{
    /// <summary>Hashes of stored requests must never change, or a job delivered again would be taken for another one.</summary>
    [Fact]
    public void A_request_is_written_as_it_was_before_fields_were_added()
    {
        var job = new SubmitGenerationJob
        {
            JobId = Guid.Parse("6f9619ff-8b86-d011-b42d-00c04fc964ff"),
            Model = "demo",
            Prompt = "Once",
            MaxTokens = 5,
            Temperature = 0.5,
            Stop = ["\n"],
            Seed = 7,
            Metadata = new Dictionary<string, string> { ["workload"] = "x", ["a"] = "b" },
            ReturnTokenIds = true,
        };

        CanonicalRequest
            .Write(job)
            .Json.ShouldBe(
                """{"jobId":"6f9619ff-8b86-d011-b42d-00c04fc964ff","model":"demo","prompt":"Once","maxTokens":5,"temperature":0.5"""
                    + ""","stop":["\n"],"seed":7,"metadata":{"a":"b","workload":"x"},"returnTokenIds":true}"""
            );
    }

    [Fact]
    public void The_order_of_biases_makes_no_difference_and_they_come_back()
    {
        var job = new SubmitGenerationJob
        {
            JobId = Guid.NewGuid(),
            Model = "demo",
            Prompt = "Once",
            LogitBias = new Dictionary<string, double> { ["2"] = 1, ["10"] = -1 },
        };
        var turned = job with
        {
            LogitBias = new Dictionary<string, double> { ["10"] = -1, ["2"] = 1 },
        };

        CanonicalRequest.Write(turned).Hash.ShouldBe(CanonicalRequest.Write(job).Hash);
        CanonicalRequest.Read(CanonicalRequest.Write(job).Json).LogitBias.ShouldNotBeNull()["10"].ShouldBe(-1);
    }

    [Theory]
    [InlineData("""{"role":"assistant","content":""}""", """{"role":"assistant"}""", true)]
    [InlineData("""{"role":"assistant","content":""}""", """{"role":"assistant","content":null,"toolCalls":[]}""", true)]
    [InlineData("""{"role":"assistant","toolCalls":[{"a":1}]}""", """{"role":"assistant","content":"","toolCalls":[{"a":1}]}""", false)]
    [InlineData("""{"role":"assistant","toolCalls":[{"a":1,"b":2}]}""", """{"role":"assistant","toolCalls":[{"b":2,"a":1}]}""", false)]
    [InlineData("""{"role":"user","content":"a"}""", """{"role":"user","content":"a","name":"b"}""", false)]
    public void Turns_are_the_same_if_a_template_can_not_tell_them_apart(string one, string other, bool areSame) =>
        CanonicalRequest.Write(Chat($"[{other}]")).Hash.SequenceEqual(CanonicalRequest.Write(Chat($"[{one}]")).Hash).ShouldBe(areSame);

    [Theory]
    [InlineData("\"tools\":[],\"documents\":[],\"chatTemplateKwargs\":{}", "\"tools\":null", true)]
    [InlineData("\"chatTemplateKwargs\":{\"a\":1,\"b\":[ 2 ]}", "\"chatTemplateKwargs\":{\"b\":[2],\"a\":1}", true)]
    [InlineData("\"tools\":[{\"a\":1,\"b\":2}]", "\"tools\":[{\"b\":2,\"a\":1}]", false)]
    [InlineData("\"documents\":[{\"a\":1}]", "\"documents\":[{\"a\":1.0}]", false)]
    public void What_a_template_is_given_is_the_same_if_it_can_not_tell_it_apart(string one, string other, bool areSame)
    {
        const string turns = """[{"role":"user","content":"a"}]""";

        var (first, second) = (Chat(turns, one), Chat(turns, other));

        CanonicalRequest.Write(first).Hash.SequenceEqual(CanonicalRequest.Write(second).Hash).ShouldBe(areSame);
        var back = CanonicalRequest.Read(CanonicalRequest.Write(first).Json);
        CanonicalRequest.Write(back).Json.ShouldBe(CanonicalRequest.Write(first).Json);
        CanonicalRequest.WriteWithoutPrompt(first).ShouldNotContain("\"a\"");
    }

    private static SubmitGenerationJob Chat(string messages, string fields = "\"seed\":1") =>
        CanonicalRequest.Read(
            $$"""{"jobId":"6f9619ff-8b86-d011-b42d-00c04fc964ff","model":"demo","messages":{{messages}},{{fields}}""" + "}"
        );
}
