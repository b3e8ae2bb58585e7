using System.Text.Json;
using System.Text.Json.Nodes;
using Dsde.Experiments;
using Dsde.Testing;

namespace Dsde.Benchmarks.Tests.Experiments;

/// <summary>The jobs of the experiment.</summary>
public sealed class JobFilesTests
{
    [Fact]
    public async Task Every_job_has_the_temperature_asked_for_no_truncation_and_a_seed()
    {
        using var folder = new ScratchFolder("experiment");
        var settings = new ExperimentSettings
        {
            Program = "",
            Jobs = Repository.PathOf("samples/mixed.jsonl"),
            Target = "",
            Draft = "",
            MismatchedDraft = "",
            DataType = "bf16",
            Folder = folder.PathOf("out"),
            Rounds = 3,
        };

        var path = await JobFiles.WriteAsync(settings, 1, TestContext.Current.CancellationToken);

        var given = File.ReadAllLines(settings.Jobs).Select(Body).ToList();
        var written = File.ReadAllLines(path).Select(Body).ToList();
        written.Select(Asked).ShouldBe(given.Select(Asked));
        written.ShouldAllBe(body =>
            body.GetProperty("temperature").GetDouble() == 1 && body.GetProperty("seed").ValueKind == JsonValueKind.Number
        );
        given.ShouldContain(body => Has(body, "top_p"));
        written.ShouldAllBe(body => !Has(body, "top_p"));
    }

    private static string Asked(JsonElement body) =>
        (Has(body, "prompt") ? body.GetProperty("prompt") : body.GetProperty("messages")).Deserialize<JsonNode>()!.ToJsonString();

    private static bool Has(JsonElement body, string field) => body.TryGetProperty(field, out _);

    private static JsonElement Body(string line) => JsonDocument.Parse(line).RootElement.GetProperty("body");
}
