using System.Text.Json;
using System.Text.Json.Nodes;
using Dsde.Testing;
using Json.Schema;
using YamlDotNet.RepresentationModel;

namespace Dsde.EndToEnd.Tests.Interop;

/// <summary>What a worker sends, against docs/asyncapi.yaml: every event is valid by its schema, and has nothing that isn't
/// described.</summary>
public sealed class EventSchemaTests(SharedWorker shared) : IClassFixture<SharedWorker>
{
    [Fact]
    public async Task Every_event_is_as_the_document_describes_it()
    {
        await using var tap = await shared.OpenTapAsync();
        var (batchId, cancelledBatch) = (Guid.NewGuid(), Guid.NewGuid());
        await tap.PublishToAsync("Dsde.Contracts:CancelGenerationBatch", $$"""{"batchId":"{{cancelledBatch}}"}""");
        string[] jobs =
        [
            "\"temperature\":0",
            """
                "choiceCount":2,"seed":1,"returnTokenIds":true,"returnLogProbabilities":true,"topLogProbabilityCount":2,"customId":"a",
                "metadata":{"workload":"b"}
                """,
            "\"temperature\":9",
        ];
        foreach (var job in jobs)
        {
            await tap.PublishAsync(Job($"\"batchId\":\"{batchId}\",\"batchJobCount\":{jobs.Length},{job}"));
        }

        await tap.PublishAsync(Job($"\"batchId\":\"{cancelledBatch}\""));
        await tap.WaitForAsync(jobs.Length + 2); // the jobs, the batch, and the one that was called off

        tap.Events.Select(item => item.Type)
            .Distinct()
            .ShouldBe(
                ["GenerationJobCompleted", "GenerationJobFailed", "GenerationJobCancelled", "GenerationBatchCompleted"],
                ignoreOrder: true
            );
        var schemas = Schemas();
        foreach (var item in tap.Events)
        {
            FindMistakes(schemas, item.Type, item.Message).ShouldBeEmpty($"{item.Type}: {item.Message}");
        }
    }

    [Fact]
    public void A_field_that_is_not_described_and_one_of_another_type_are_found()
    {
        using var message = JsonDocument.Parse($$"""{"jobId":"{{Guid.NewGuid()}}","invented":1}""");
        using var wrong = JsonDocument.Parse("""{"jobId":7}""");

        FindMistakes(Schemas(), "CancelGenerationJob", message.RootElement).ShouldNotBeEmpty();
        FindMistakes(Schemas(), "CancelGenerationJob", wrong.RootElement).ShouldNotBeEmpty();
    }

    private static List<string> FindMistakes(JsonObject schemas, string name, JsonElement message)
    {
        var schema = new JsonObject
        {
            ["$schema"] = "http://json-schema.org/draft-07/schema#",
            ["definitions"] = schemas.DeepClone(),
            ["$ref"] = $"#/definitions/{name}",
        };
        var results = JsonSchema
            .FromText(schema.ToJsonString(), new BuildOptions { SchemaRegistry = new() })
            .Evaluate(WithoutNulls(message), new EvaluationOptions { OutputFormat = OutputFormat.List });
        return results.IsValid
            ? []
            :
            [
                .. (results.Details ?? []).SelectMany(detail =>
                    (detail.Errors ?? []).Select(error => $"{detail.InstanceLocation}: {error.Value}")
                ),
            ];
    }

    /// <summary>What has no value is null or absent, as interop.md has it.</summary>
    private static JsonElement WithoutNulls(JsonElement message)
    {
        var root = JsonNode.Parse(message.GetRawText());
        Strip(root);
        return JsonSerializer.SerializeToElement(root);

        static void Strip(JsonNode? node)
        {
            if (node is JsonObject fields)
            {
                foreach (var name in fields.Where(field => field.Value is null).Select(field => field.Key).ToList())
                {
                    fields.Remove(name);
                }
            }

            foreach (var part in (node as JsonObject)?.Select(field => field.Value) ?? node as JsonArray ?? Enumerable.Empty<JsonNode?>())
            {
                Strip(part);
            }
        }
    }

    /// <summary>The document's, as JSON; an object has the fields it lists, and no others.</summary>
    private static JsonObject Schemas()
    {
        var stream = new YamlStream();
        using var reader = File.OpenText(Repository.PathOf("docs", "asyncapi.yaml"));
        stream.Load(reader);
        var schemas = (JsonObject)ToJson(stream.Documents[0].RootNode["components"]["schemas"])!;
        foreach (var schema in schemas.Select(pair => pair.Value).OfType<JsonObject>().Where(schema => schema.ContainsKey("properties")))
        {
            schema["additionalProperties"] = false;
        }

        return schemas;
    }

    private static JsonNode? ToJson(YamlNode node) =>
        node switch
        {
            YamlMappingNode mapping => new JsonObject(
                mapping.Children.Select(pair => KeyValuePair.Create($"{pair.Key}", ToJson(pair.Value)))
            ),
            YamlSequenceNode list => new JsonArray([.. list.Select(ToJson)]),
            _ => JsonValue.Create($"{node}".Replace("#/components/schemas/", "#/definitions/", StringComparison.Ordinal)),
        };

    private static string Job(string more) =>
        $$$"""{"jobId":"{{{Guid.NewGuid()}}}","model":"dsde-demo","prompt":"Story: Once there was","maxTokens":8,{{{more}}}}""";
}
