using System.Collections.Concurrent;
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
    private readonly GenerationEngine _engine = Load();
    private readonly ConcurrentDictionary<(string Policy, float Temperature, bool Surveys), Lazy<Task<IReadOnlyList<StoredTrace>>>> _runs =
    [];

    /// <summary>The prompts, run one by one the first time that they are asked for. Temperatures above 0 are sampled in coupled
    /// mode.</summary>
    public Task<IReadOnlyList<StoredTrace>> RunAsync(string policy, float temperature, bool surveys = false) =>
        _runs
            .GetOrAdd(
                (policy, temperature, surveys),
                run => new Lazy<Task<IReadOnlyList<StoredTrace>>>(() => ReallyRunAsync(run.Policy, run.Temperature, run.Surveys))
            )
            .Value;

    private async Task<IReadOnlyList<StoredTrace>> ReallyRunAsync(string policy, float temperature, bool surveys)
    {
        var traces = new List<StoredTrace>();
        var requests = Prompts(_engine, policy, temperature).ToList();
        var running = requests.ConvertAll(request => _engine.GenerateAsync(request, TestContext.Current.CancellationToken));
        for (var i = 0; i < requests.Count; i++)
        {
            var result = await running[i];
            if (surveys)
            {
                var survey = await _engine.GenerateAsync(
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
                    Trace = TraceConversion.ToJobTrace(result, requests[i], _engine.Description),
                }
            );
        }

        return traces;
    }

    public ValueTask DisposeAsync() => _engine.DisposeAsync();

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

    private static GenerationEngine Load() =>
        GenerationEngine.Load(
            new EngineOptions
            {
                Target = Repository.PathOf("models", "dsde-demo-target"),
                Draft = Repository.PathOf("models", "dsde-demo-draft"),
                DataType = "fp32",
                Device = "cpu",
                Threads = 1,
                BatchSize = 1,
                CostGuard = false,
            },
            TimeProvider.System,
            NullLoggerFactory.Instance
        );
}
