using System.Text.Json;

namespace Dsde.Contracts.Tests;

/// <summary>Messages live longer than programs: older and newer ones must read each other.</summary>
public sealed class SerializationTests
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    [Fact]
    public void A_job_comes_back_as_it_was()
    {
        var job = new SubmitGenerationJob
        {
            JobId = Guid.NewGuid(),
            BatchId = Guid.NewGuid(),
            CustomId = "a",
            Model = "demo",
            Messages = [new ChatMessage { Role = "user", Content = "naïve 🙂" }],
            MaxTokens = 5,
            Temperature = 0.5,
            Seed = long.MinValue,
            Stop = ["\n"],
            ExpiresAt = DateTimeOffset.UnixEpoch,
            Metadata = new Dictionary<string, string> { ["workload"] = "x" },
        };

        var text = JsonSerializer.Serialize(job, Json);
        var back = JsonSerializer.Deserialize<SubmitGenerationJob>(text, Json).ShouldNotBeNull();

        JsonSerializer.Serialize(back, Json).ShouldBe(text);
        back.Messages.ShouldNotBeNull()[0].Content.ShouldBe("naïve 🙂");
        back.Seed.ShouldBe(long.MinValue);
    }

    [Fact]
    public void Fields_of_a_newer_version_are_passed_over_and_optional_ones_may_be_missing()
    {
        var job = JsonSerializer
            .Deserialize<SubmitGenerationJob>(
                """{"jobId":"6f9619ff-8b86-d011-b42d-00c04fc964ff","model":"m","prompt":"a","inventedLater":{"x":1}}""",
                Json
            )
            .ShouldNotBeNull();

        job.Prompt.ShouldNotBeNull().Text.ShouldBe("a");
        job.MaxTokens.ShouldBeNull();
        job.Metadata.ShouldBeNull();
    }

    [Fact]
    public void A_job_without_its_id_is_refused() =>
        Should.Throw<JsonException>(() => JsonSerializer.Deserialize<SubmitGenerationJob>("""{"model":"m","prompt":"a"}""", Json));
}
