using System.Text.Json;
using Dsde.Engine;
using Dsde.Engine.Sampling;
using Dsde.Persistence.Analysis;
using Dsde.Pipeline.Jobs.Ends;
using Dsde.Speculation;
using Dsde.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dsde.Analytics.Tests.Replaying;

/// <summary>The demo pair, in fp32, on prompts of the sample.</summary>
public sealed class DemoRun : IAsyncDisposable
{
    private const int PromptCount = 15;
    private readonly GenerationEngine _alone = Load(1);
    private readonly GenerationEngine _together = Load(4);

    /// <summary>Runs the prompts one by one, or all at once. Temperatures above 0 are sampled in coupled mode.</summary>
    public async Task<IReadOnlyList<StoredTrace>> RunAsync(string policy, float temperature, int batchSize = 1, bool surveys = false)
    {
        var engine = batchSize == 1 ? _alone : _together;
        var traces = new List<StoredTrace>();
        var requests = Prompts(engine, policy, temperature).ToList();
        var running = requests.ConvertAll(request => engine.GenerateAsync(request, TestContext.Current.CancellationToken));
        for (var i = 0; i < requests.Count; i++)
        {
            var result = await running[i];
            if (surveys)
            {
                var survey = await engine.GenerateAsync(
                    requests[i] with
                    {
                        IsSurvey = true,
                        Policy = PolicyConfiguration.Parse("static:64"),
                    },
                    TestContext.Current.CancellationToken
                );
                survey.TokenIds.ShouldBe(result.TokenIds);
                result = result with { Trace = result.Trace with { Survey = survey.Trace } };
            }

            traces.Add(
                new StoredTrace
                {
                    JobId = Guid.NewGuid(),
                    Choice = 0,
                    CustomId = $"prompt {i}",
                    FinishReason = result.FinishReason == FinishReason.Length ? "length" : "stop",
                    Request = $$"""{"jobId":"{{Guid.Empty}}","model":"demo","prompt":"x","maxTokens":{{requests[i].MaxTokens}}}""",
                    WorkerId = "worker",
                    StoredAt = DateTimeOffset.UnixEpoch.AddSeconds(i),
                    Trace = TraceConversion.ToJobTrace(result, requests[i], engine.Description),
                }
            );
        }

        return traces;
    }

    public async ValueTask DisposeAsync()
    {
        await _alone.DisposeAsync();
        await _together.DisposeAsync();
    }

    private static IEnumerable<GenerationRequest> Prompts(GenerationEngine engine, string policy, float temperature)
    {
        var texts = File.ReadLines(Repository.PathOf("samples", "mixed.jsonl"))
            .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("body"))
            .Where(body => body.TryGetProperty("prompt", out _))
            .Select(body => body.GetProperty("prompt").GetString() ?? "")
            .Take(PromptCount);
        return texts.Select(
            (text, i) =>
                new GenerationRequest
                {
                    PromptTokenIds = engine.PromptEncoder.Encode(text),
                    MaxTokens = 50 + (7 * (i % 5)),
                    Policy = PolicyConfiguration.Parse(policy),
                    Sampling = new SamplingParameters
                    {
                        Temperature = temperature,
                        Seed = (ulong)(100 + i),
                        Mode = SamplingMode.Coupled,
                    },
                }
        );
    }

    private static GenerationEngine Load(int batchSize) =>
        GenerationEngine.Load(
            new EngineOptions
            {
                Target = Repository.PathOf("models", "dsde-demo-target"),
                Draft = Repository.PathOf("models", "dsde-demo-draft"),
                DataType = "fp32",
                Device = "cpu",
                Threads = 1,
                BatchSize = batchSize,
                CostGuard = false,
            },
            TimeProvider.System,
            NullLoggerFactory.Instance
        );
}
