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
}
