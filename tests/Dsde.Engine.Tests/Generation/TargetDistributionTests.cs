using Dsde.Engine.Sampling;
using Dsde.Engine.Tests.Batching;
using Dsde.Engine.Tests.Sampling;
using Dsde.Speculation;
using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Generation;

/// <summary>
/// Speculation is lossless in every mode: what the whole engine emits is distributed as the target's own samples (Leviathan et al. 2023;
/// Daliri et al. 2024), with the same truncation and penalties. Each case fails by chance once in 10,000 sets of seeds; the seeds are
/// fixed.
/// </summary>
public sealed class TargetDistributionTests(TestPair models) : IClassFixture<TestPair>
{
    private const int Draws = 6000;
    private const int Length = 4;
    private static readonly int[] Prompt = [17, 101, 32];

    public static TheoryData<string, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, string>();
            foreach (var mode in (string[])["rejection", "coupled"])
            {
                cases.Add("static:2", mode + " top-k");
                cases.Add("static:3", mode + " top-p");
                cases.Add("dsde", mode + " min-p");
                cases.Add("adaedl", mode + " penalties");
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Emitted_tokens_follow_the_targets_distribution(string policy, string sampling)
    {
        var parameters = Parameters(sampling.Split(' ')[1]) with
        {
            Mode = Enum.Parse<SamplingMode>(sampling.Split(' ')[0], ignoreCase: true),
        };
        await using var engine = Load(models.Target, models.Draft, policy, batchSize: 64);

        ShouldFollowTheTarget(await engine.GenerateAllAsync(Requests(parameters)), parameters);
    }

    /// <summary>Its own clock makes target passes dear, so that it goes on speculating on models that are too small for that.</summary>
    [Theory]
    [InlineData(SamplingMode.Rejection)]
    [InlineData(SamplingMode.Coupled)]
    public void Goodput_emits_the_targets_distribution(SamplingMode mode)
    {
        var parameters = Parameters("top-k") with { Mode = mode };
        using var loop = new LoopUnderTest(models.Target, models.Draft, batchSize: 64, policy: "goodput");
        loop.Target.BeforePass = _ => loop.Time.Advance(TimeSpan.FromMilliseconds(50));
        loop.Draft.BeforePass = _ => loop.Time.Advance(TimeSpan.FromMilliseconds(1));

        var requests = Requests(parameters).Take(Draws / 4);
        ShouldFollowTheTarget(loop.RunToEnd([.. requests.Select(request => loop.Add(request))]), parameters, knowsEndTokens: false);
    }

    /// <summary>
    /// A bias leaves three tokens to choose from, which stand in the prompt, so that lookup often finds what it proposes from, and is often
    /// wrong. Beside the draft, proposals of both kinds are judged in the same pass.
    /// </summary>
    [Theory]
    [InlineData("static:3", SamplingMode.Rejection, "top-k", false)]
    [InlineData("static:2", SamplingMode.Rejection, "penalties", false)]
    [InlineData("static:3", SamplingMode.Coupled, "top-p", false)]
    [InlineData("static:2", SamplingMode.Rejection, "top-p", true)]
    [InlineData("dsde", SamplingMode.Coupled, "top-k", true)]
    public async Task What_lookup_proposes_leaves_the_targets_distribution_as_it_is(
        string policy,
        SamplingMode mode,
        string sampling,
        bool isBesideTheDraft
    )
    {
        var parameters = Parameters(sampling) with { Mode = mode, LogitBias = Prompt.ToDictionary(id => id, _ => 9f) };
        int[] prompt = [.. Prompt, Prompt[0]];
        await using var engine = Load(
            models.Target,
            isBesideTheDraft ? models.Draft : null,
            policy,
            batchSize: 64,
            options => options.Proposer = "lookup"
        );
        Proposer[] proposers = isBesideTheDraft ? [Proposer.Lookup, Proposer.Both, Proposer.Draft] : [Proposer.Lookup];

        var results = await engine.GenerateAllAsync(
            Requests(parameters, prompt).Select((request, i) => request with { Proposer = proposers[i % proposers.Length] })
        );

        var (proposed, accepted) = (results.Sum(one => one.Trace.LookupProposed), results.Sum(one => one.Trace.LookupAccepted));
        accepted.ShouldBeInRange(Draws / 100, proposed - (Draws / 100), "Too little was accepted, or too little rejected.");
        ShouldFollowTheTarget(results, parameters, prompt: prompt);
    }

    private static IEnumerable<GenerationRequest> Requests(SamplingParameters parameters, int[]? prompt = null) =>
        Enumerable
            .Range(0, Draws)
            .Select(i => new GenerationRequest
            {
                PromptTokenIds = prompt ?? Prompt,
                MaxTokens = Length,
                Sampling = parameters with { Seed = (ulong)i * 7919 },
            });

    private void ShouldFollowTheTarget(
        GenerationResult[] results,
        SamplingParameters parameters,
        bool knowsEndTokens = true,
        int[]? prompt = null
    )
    {
        results.Sum(result => result.Trace.Accepted).ShouldBeGreaterThan(results.Length / 20, "Too little was accepted to show anything.");
        results.ShouldAllBe(result => result.Trace.SamplingMode == parameters.Mode);
        var observed = results.CountBy(result => string.Join(' ', result.TokenIds)).ToDictionary();
        var expected = ExpectedOutputs(parameters, knowsEndTokens, prompt ?? Prompt);
        observed.Keys.ShouldAllBe(output => expected.ContainsKey(output), "An output came up that the target can't give.");
        ChiSquare.ShouldFollow(observed, expected, results.Length);
    }

    private static SamplingParameters Parameters(string name) =>
        name switch
        {
            "top-k" => new SamplingParameters { Temperature = 1, TopK = 3 },
            "top-p" => new SamplingParameters
            {
                Temperature = 2,
                TopK = 5,
                TopP = 0.95f,
            },
            "min-p" => new SamplingParameters { Temperature = 1.5f, MinP = 0.25f },
            _ => new SamplingParameters
            {
                Temperature = 1.8f,
                TopK = 3,
                RepetitionPenalty = 1.3f,
                PresencePenalty = 0.5f,
                FrequencyPenalty = 0.7f,
                LogitBias = new Dictionary<int, float> { [5] = 1.5f, [17] = -2f },
            },
        };

    /// <summary>The probability of every possible output, from the target alone.</summary>
    private Dictionary<string, double> ExpectedOutputs(SamplingParameters parameters, bool knowsEndTokens, int[] prompt)
    {
        using var target = new TargetAlone(models.Target);
        var outputs = new Dictionary<string, double>();
        Extend([], 1);
        return outputs;

        void Extend(List<int> output, double probability)
        {
            if (output.Count == Length || (knowsEndTokens && output.Count > 0 && target.EndTokens.Contains(output[^1])))
            {
                outputs.Add(string.Join(' ', output), probability);
                return;
            }

            var next = ReferenceSampler.Distribution(target.LogitsAfter([.. prompt, .. output]), parameters, prompt, output);
            for (var id = 0; id < next.Length; id++)
            {
                if (next[id] > 0)
                {
                    Extend([.. output, id], probability * next[id]);
                }
            }
        }
    }
}
