using Dsde.Engine;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Benchmarks.Tests;

public sealed class BenchWorkloadTests
{
    private static readonly BenchSettings Settings = new()
    {
        Policies = [],
        BatchSizes = [1],
        Temperatures = [null],
        Rounds = 1,
    };

    private static readonly (string, GenerationRequest)[] Requests = [("b", Request(1)), ("a", Request(2)), ("b", Request(3))];

    [Fact]
    public void Every_label_is_a_workload_and_all_together_are_the_last() =>
        BenchWorkload
            .Group(Requests, null)
            .Select(workload => (workload.Name, workload.Requests.Count))
            .ShouldBe([("a", 1), ("b", 2), (BenchWorkload.Mixed, 3)]);

    [Fact]
    public void A_single_label_is_not_measured_twice() =>
        BenchWorkload.Group(Requests.Where(request => request.Item1 == "b"), null).Select(workload => workload.Name).ShouldBe(["b"]);

    [Fact]
    public void Only_the_workloads_asked_for_are_taken() =>
        BenchWorkload
            .Group(Requests, ["a", BenchWorkload.Mixed, "c"])
            .Select(workload => workload.Name)
            .ShouldBe(["a", BenchWorkload.Mixed]);

    [Fact]
    public void Requests_keep_what_is_not_overridden()
    {
        var request = new BenchWorkload("a", [Request(1)]).With(null, Settings).Requests.ShouldHaveSingleItem();

        (request.Sampling.Temperature, request.MaxTokens, request.IgnoreEos, request.StopStrings.Count).ShouldBe((0.7f, 50, false, 1));
    }

    [Fact]
    public void Temperature_limit_and_ends_can_be_overridden()
    {
        var settings = Settings with { MaxTokens = 8, IgnoresEnds = true };

        var request = new BenchWorkload("a", [Request(1)]).With(0, settings).Requests.ShouldHaveSingleItem();

        (request.Sampling.Temperature, request.Sampling.TopP, request.MaxTokens, request.IgnoreEos, request.StopStrings.Count).ShouldBe(
            (0f, 0.9f, 8, true, 0)
        );
    }

    private static GenerationRequest Request(int id) =>
        new()
        {
            PromptTokenIds = [id],
            MaxTokens = 50,
            StopStrings = ["\n"],
            Sampling = new() { Temperature = 0.7f, TopP = 0.9f },
        };
}
