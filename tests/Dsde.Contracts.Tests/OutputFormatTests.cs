using System.Text.Json;

namespace Dsde.Contracts.Tests;

public sealed class OutputFormatTests
{
    private const string Schema = """{"type":"object","properties":{"b":{"type":"integer"},"a":{}}}""";

    private const string Format = "{\"type\":\"json_schema\",\"json_schema\":{\"schema\":" + Schema + "}}";

    private static readonly SubmitGenerationJob Plain = new()
    {
        JobId = Guid.Parse("6f9619ff-8b86-d011-b42d-00c04fc964ff"),
        Model = "demo",
        Prompt = "Once",
    };

    [Fact]
    public void However_a_format_is_asked_for_the_request_is_the_same()
    {
        var asked = Plain with { ResponseFormat = Json(Format) };
        SubmitGenerationJob[] same =
        [
            Plain with
            {
                ResponseFormat = Json(
                    $$"""{ "json_schema": {"name": "x", "description": "y", "strict": true, "schema": """
                        + $$"""{{Schema}} }, "type": "json_schema" }"""
                ),
            },
            Plain with
            {
                GuidedJson = Json(Schema),
            },
            Plain with
            {
                GuidedJson = JsonSerializer.SerializeToElement(Schema),
            },
        ];

        var (json, hash) = CanonicalRequest.Write(asked);

        json.ShouldEndWith(",\"responseFormat\":" + Format + "}");
        same.ShouldAllBe(job => CanonicalRequest.Write(job).Hash.SequenceEqual(hash));
        CanonicalRequest.Write(CanonicalRequest.Read(json)).Hash.ShouldBe(hash);
        OutputFormat.Find(CanonicalRequest.Read(json)).ShouldBe((new OutputFormat(OutputKind.JsonSchema, Schema), "ResponseFormat"));
    }

    [Fact]
    public void The_order_of_properties_is_part_of_a_request_because_it_is_that_of_outputs() =>
        CanonicalRequest
            .Write(Plain with { GuidedJson = Json("""{"type":"object","properties":{"a":{},"b":{"type":"integer"}}}""") })
            .Hash.ShouldNotBe(CanonicalRequest.Write(Plain with { GuidedJson = Json(Schema) }).Hash);

    [Fact]
    public void Expressions_and_choices_come_back_as_formats_and_text_is_none()
    {
        Stored(Plain with { GuidedRegex = "a|\"b\"" }).ShouldBe(new OutputFormat(OutputKind.Regex, "a|\"b\""));
        Stored(Plain with { GuidedChoice = ["x", "ä"] }).ShouldBe(OutputFormat.Find(Plain with { GuidedChoice = ["x", "ä"] })?.Format);
        Stored(Plain with { ResponseFormat = Json("""{"type":"json_object"}""") }).ShouldBe(new OutputFormat(OutputKind.JsonObject, ""));
        CanonicalRequest
            .Write(Plain with { ResponseFormat = Json("""{"type":"text"}""") })
            .Hash.ShouldBe(CanonicalRequest.Write(Plain).Hash);

        static OutputFormat? Stored(SubmitGenerationJob job) =>
            OutputFormat.Find(CanonicalRequest.Read(CanonicalRequest.Write(job).Json))?.Format;
    }

    [Fact]
    public void Where_prompts_may_not_be_stored_formats_are_not_either() =>
        CanonicalRequest.WriteWithoutPrompt(Plain with { GuidedJson = Json(Schema) }).ShouldNotContain("properties");

    [Theory]
    [InlineData("\"responseFormat\":{\"type\":\"xml\"}", "response_format has the type \"xml\"; give {\"type\": \"json_schema\"")]
    [InlineData("\"responseFormat\":{}", "response_format has no type; give")]
    [InlineData("\"responseFormat\":\"json_object\"", "response_format must be an object with a type, but is a string.")]
    [InlineData("\"responseFormat\":{\"type\":\"json_schema\"}", "response_format has no json_schema; give")]
    [InlineData("\"responseFormat\":{\"type\":\"json_schema\",\"json_schema\":{}}", "response_format.json_schema has no schema; give one")]
    [InlineData("\"responseFormat\":{\"type\":\"json_object\",\"schema\":{}}", "response_format.schema is not known here")]
    [InlineData("\"responseFormat\":{\"type\":\"regex\"}", "response_format has no regex; give an expression.")]
    [InlineData("\"responseFormat\":{\"type\":\"choice\",\"choice\":[1]}", "response_format has no choice; give a list of texts.")]
    [InlineData(
        "\"responseFormat\":{\"type\":\"text\"},\"guidedRegex\":\"a\"",
        "guided_regex is given beside response_format; give one of them."
    )]
    [InlineData("\"guidedJson\":3", "guided_json must be a schema: an object, or the text of one, but is 3.")]
    [InlineData("\"guidedJson\":\"{\"", "guided_json is a text that is no JSON; give a schema as an object.")]
    [InlineData("\"guidedJson\":{\"enum\":[\"\\u0000\"]}", "guided_json has a NUL character; leave it out.")]
    [InlineData("\"guidedJson\":{\"a\":1,\"a\":2}", "guided_json has an entry twice; give it once.")]
    [InlineData("\"guidedRegex\":\"\"", "guided_regex has 0 characters; give 1 to 16384.")]
    [InlineData("\"guidedChoice\":[]", "guided_choice has 0 texts; give 1 to 1024.")]
    [InlineData("\"guidedChoice\":[\"a\",\"\"]", "guided_choice has an empty string; leave it out.")]
    [InlineData(
        "\"guidedChoice\":[\"a\"],\"ignoreEos\":true",
        "ignore_eos is true, but guided_choice is given: such an output ends where its format says."
    )]
    public void A_mistake_is_named_with_what_would_do(string fields, string says)
    {
        var job = JsonSerializer.Deserialize<SubmitGenerationJob>(
            $$"""{"jobId":"6f9619ff-8b86-d011-b42d-00c04fc964ff","model":"demo","prompt":"Once",{{fields}}}""",
            JsonSerializerOptions.Web
        );

        JobRules.FindMistake(job!, JobFieldNames.InBatchFiles).ShouldNotBeNull().Message.ShouldStartWith(says);
    }

    private static JsonElement Json(string text) => JsonSerializer.Deserialize<JsonElement>(text);
}
