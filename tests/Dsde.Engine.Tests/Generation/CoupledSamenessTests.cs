using Dsde.Engine.Sampling;
using Dsde.Speculation;
using Dsde.Testing;
using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Generation;

/// <summary>
/// Coupled sampling gives the same text for a seed whatever speculates, with whom, and how the prompt is worked through.
/// </summary>
public sealed class CoupledSamenessTests(TestPair models) : IClassFixture<TestPair>
{
    private const int RequestCount = 56;

    /// <summary>Differences are expected once in 10⁵ to 10⁶ tokens; these are 9,000.</summary>
    private const int AllowedNearTies = 2;

    private static readonly string?[] Policies = ["static:1", "static:4", "static:8", "dsde", "dsde-reference", "adaedl", "goodput"];

    [Fact]
    public async Task A_seeds_text_is_the_same_under_every_policy_draft_batch_size_and_chunking()
    {
        using var otherDraft = new ScratchFolder("models");
        TestModelFolder.Write(otherDraft.Path, TestPair.TargetShape with { Layers = 2, LayerScale = 0.4 });
        var requests = SamplingMixes.Requests(SamplingMixes.Sampled, SamplingMode.Coupled, Prompts(RequestCount), 16);
        var expected = await Run(null, 8, 512, requests, [null]);
        int cases = 0,
            nearTies = 0,
            accepted = 0,
            proposed = 0;

        foreach (
            var (draft, batchSize, budget, policies) in new[]
            {
                (models.Draft, 16, 512, Policies),
                (otherDraft.Path, 5, 7, ["static:3", "dsde"]),
                (models.Target, 1, 512, ["static:8"]),
                (null, 24, 1, [null]),
            }
        )
        {
            var results = await Run(draft, batchSize, budget, requests, policies);
            for (var i = 0; i < results.Length; i++)
            {
                cases++;
                nearTies += Sameness.ShouldBeSame(results[i], expected[i % RequestCount]) ? 0 : 1;
                accepted += results[i].Trace.Accepted;
                proposed += results[i].Trace.Proposed;
            }
        }

        cases.ShouldBeGreaterThanOrEqualTo(500);
        nearTies.ShouldBeLessThanOrEqualTo(AllowedNearTies);
        accepted.ShouldBeInRange(proposed / 6, proposed * 9 / 10, "Too little was accepted, or too little rejected, to show anything.");
        expected.Select(result => result.Text).Distinct().Count().ShouldBeGreaterThan(RequestCount / 2);
    }

    [Fact]
    public async Task In_deterministic_numerics_the_text_and_all_that_is_recorded_are_the_same_bit_for_bit()
    {
        var requests = SamplingMixes.Requests(SamplingMixes.Sampled, SamplingMode.Coupled, Prompts(16), 20);
        var expected = await Run(null, 1, 512, requests, [null], "deterministic");

        foreach (
            var (draft, batchSize, budget, policies) in new[]
            {
                (models.Draft, 9, 5, (string?[])["static:4", "dsde"]),
                (null, 16, 64, [null]),
            }
        )
        {
            var results = await Run(draft, batchSize, budget, requests, policies, "deterministic");
            for (var i = 0; i < results.Length; i++)
            {
                results[i].TokenIds.ShouldBe(expected[i % requests.Length].TokenIds);
                results[i].Trace.Tokens.Margin.ShouldBe(expected[i % requests.Length].Trace.Tokens.Margin);
            }
        }
    }

    [Fact]
    public async Task The_engines_default_mode_is_used_and_told()
    {
        await using var engine = Load(models.Target, models.Draft, change: options => options.Sampling = "coupled");

        var results = await engine.GenerateAllAsync([
            Sampled([1, 2], 8, 5),
            Sampled([1, 2], 8, 5) with
            {
                Sampling = new() { Seed = 5, Mode = SamplingMode.Rejection },
            },
            Greedy([1], 3),
        ]);

        results.Select(result => result.Trace.SamplingMode).ShouldBe([SamplingMode.Coupled, SamplingMode.Rejection, SamplingMode.Greedy]);
    }

    /// <summary>Every request under each of the policies, all of them at once.</summary>
    private async Task<GenerationResult[]> Run(
        string? draft,
        int batchSize,
        int budget,
        GenerationRequest[] requests,
        string?[] policies,
        string numerics = "auto"
    )
    {
        await using var engine = Load(
            models.Target,
            draft,
            draft is null ? "autoregressive" : "dsde",
            batchSize,
            options =>
            {
                options.PrefillTokenBudget = budget;
                options.Numerics = numerics;
            }
        );
        return await engine.GenerateAllAsync(
            policies.SelectMany(policy =>
                requests.Select(request => request with { Policy = policy is null ? null : PolicyConfiguration.Parse(policy) })
            )
        );
    }
}
