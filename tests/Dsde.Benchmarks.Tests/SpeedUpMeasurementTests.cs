using Dsde.Engine;
using Dsde.Engine.Sampling;
using Dsde.Engine.Telemetry;
using Dsde.Speculation;
using Microsoft.Extensions.Time.Testing;

namespace Dsde.Benchmarks.Tests;

public sealed class SpeedUpMeasurementTests
{
    private const int TokensPerRequest = 10;

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task The_medians_of_both_ways_are_compared_so_that_one_slow_round_changes_nothing()
    {
        var sample = await MeasureAsync(rounds: 3, autoregressiveSeconds: [2, 2, 60], policySeconds: [1, 50, 1]);

        sample.SpeedUp.ShouldBe(2, 1e-9);
        sample.Rounds.ShouldBe(3);
        sample.AutoregressiveMsPerToken.ShouldBe(2000.0 / (2 * TokensPerRequest), 1e-9);
    }

    [Fact]
    public async Task The_two_ways_take_turns()
    {
        var engine = await RunAsync(2, [1, 1], [1, 1], TimeSpan.FromHours(1));

        engine.Policies.ShouldBe(["autoregressive", "default", "autoregressive", "default"]);
    }

    [Fact]
    public async Task No_round_is_started_after_the_limit_and_one_is_run_whatever_it_is()
    {
        var engine = await RunAsync(3, [5, 5, 5], [5, 5, 5], TimeSpan.FromSeconds(1));

        engine.Policies.ShouldBe(["autoregressive", "default"]);
    }

    [Theory]
    [InlineData(1, 8)]
    [InlineData(8, 8)]
    [InlineData(32, 32)]
    public void A_sample_fills_the_batch(int batchSize, int requests) => SpeedUpMeasurement.SampleSize(batchSize).ShouldBe(requests);

    [Fact]
    public void Of_several_workloads_together_each_counts_by_its_tokens()
    {
        var costly = new SpeedUpSample(Rounds: 3, AutoregressiveMsPerToken: 10, PolicyMsPerToken: 5);
        var cheap = new SpeedUpSample(Rounds: 3, AutoregressiveMsPerToken: 1, PolicyMsPerToken: 2);

        var overall = SpeedUpSample.Overall([(100, costly), (1000, cheap)]);

        overall.ShouldNotBeNull().ShouldBe((1000 + 1000) / (500 + 2000.0), 1e-12);
        SpeedUpSample.Overall([(0, costly)]).ShouldBeNull();
    }

    private async Task<SpeedUpSample> MeasureAsync(int rounds, double[] autoregressiveSeconds, double[] policySeconds)
    {
        await using var engine = new TimedEngine(_time, autoregressiveSeconds, policySeconds);
        return await new SpeedUpMeasurement(engine, _time).MeasureAsync(
            Requests(),
            rounds,
            TimeSpan.FromHours(1),
            TestContext.Current.CancellationToken
        );
    }

    private async Task<TimedEngine> RunAsync(int rounds, double[] autoregressiveSeconds, double[] policySeconds, TimeSpan limit)
    {
        await using var engine = new TimedEngine(_time, autoregressiveSeconds, policySeconds);
        await new SpeedUpMeasurement(engine, _time).MeasureAsync(Requests(), rounds, limit, TestContext.Current.CancellationToken);
        return engine;
    }

    private static GenerationRequest[] Requests() =>
        [new() { PromptTokenIds = [1], MaxTokens = TokensPerRequest }, new() { PromptTokenIds = [2], MaxTokens = TokensPerRequest }];

    /// <summary>Takes the time it is told for every two requests, the batch of these tests.</summary>
    private sealed class TimedEngine(FakeTimeProvider time, double[] autoregressiveSeconds, double[] policySeconds) : IGenerationEngine
    {
        private readonly Queue<double> _autoregressive = new(autoregressiveSeconds);
        private readonly Queue<double> _policy = new(policySeconds);
        private int _requests;

        public List<string> Policies { get; } = [];

        public EngineDescription Description => throw new NotSupportedException();

        public IPromptEncoder PromptEncoder => throw new NotSupportedException();

        public CancellationToken BrokenDown => CancellationToken.None;

        public EngineSnapshot GetSnapshot() => default;

        public Task<GenerationResult> GenerateAsync(GenerationRequest request, CancellationToken cancellationToken)
        {
            if (++_requests % 2 == 0)
            {
                var isAutoregressive = request.Policy?.Kind == PolicyKind.Autoregressive;
                Policies.Add(isAutoregressive ? "autoregressive" : "default");
                time.Advance(TimeSpan.FromSeconds((isAutoregressive ? _autoregressive : _policy).Dequeue()));
            }

            return Task.FromResult(
                new GenerationResult
                {
                    Text = "",
                    TokenIds = [.. Enumerable.Repeat(7, TokensPerRequest)],
                    TokenLogProbabilities = [],
                    FinishReason = FinishReason.Length,
                    Trace = Trace(),
                }
            );
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private static GenerationTrace Trace() =>
            new()
            {
                Policy = "",
                SamplingMode = SamplingMode.Greedy,
                Seed = 0,
                PromptTokens = 1,
                CompletionTokens = TokensPerRequest,
                Proposed = 0,
                Accepted = 0,
                Iterations = new IterationSeries
                {
                    SpeculationLength = [],
                    Accepted = [],
                    Wish = [],
                    Allowed = [],
                    DecidedBy = [],
                    PredictedLength = [],
                    ScaleFactor = [],
                    Wvir = [],
                    Cap = [],
                    BatchSize = [],
                    BatchRows = [],
                    DraftMs = [],
                    VerifyMs = [],
                    ProposedBy = [],
                    Forced = [],
                },
                Proposals = new ProposalSeries
                {
                    Kld = [],
                    Beta = [],
                    DraftEntropy = [],
                    OnPath = [],
                },
                Tokens = new TokenSeries { Margin = [], DraftMatch = [] },
                Times = default,
            };
    }
}
