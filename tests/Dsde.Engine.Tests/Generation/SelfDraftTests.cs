using Dsde.Engine.Sampling;
using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Generation;

/// <summary>
/// A model that drafts for itself is never refused: anything less means that draft and target see different pasts.
/// </summary>
public sealed class SelfDraftTests(TestPair models) : IClassFixture<TestPair>
{
    [Theory]
    [InlineData("static:4", SamplingMode.Greedy)]
    [InlineData("dsde", SamplingMode.Greedy)]
    [InlineData("adaedl", SamplingMode.Greedy)]
    [InlineData("goodput", SamplingMode.Greedy)]
    [InlineData("static:4", SamplingMode.Rejection)]
    [InlineData("dsde", SamplingMode.Rejection)]
    [InlineData("adaedl", SamplingMode.Rejection)]
    [InlineData("goodput", SamplingMode.Rejection)]
    [InlineData("static:4", SamplingMode.Coupled)]
    [InlineData("dsde", SamplingMode.Coupled)]
    [InlineData("adaedl", SamplingMode.Coupled)]
    [InlineData("goodput", SamplingMode.Coupled)]
    public async Task Every_proposal_is_accepted(string policy, SamplingMode mode)
    {
        await using var engine = Load(models.Target, models.Target, policy, batchSize: 3);

        var results = await engine.GenerateAllAsync(
            SamplingMixes.Requests(mode == SamplingMode.Greedy ? SamplingMixes.Greedy : SamplingMixes.Sampled, mode, Prompts(12), 40)
        );

        // In fp32 the ratio p/q is 1 within rounding, so a rejection is possible in principle, about once in a million proposals.
        results.Sum(result => result.Trace.Iterations.Accepted.Sum()).ShouldBe(results.Sum(result => result.Trace.Proposed));
        results.ShouldAllBe(result => result.Trace.Proposals.Kld.All(kld => Math.Abs(kld) < 1e-3f));
        results.ShouldAllBe(result => result.Trace.Proposals.Beta.All(beta => beta > 0.999f));
        if (mode != SamplingMode.Rejection)
        {
            // Also where the draft passed over a committed token: bonus tokens, the first token.
            results.ShouldAllBe(result => result.Trace.Tokens.DraftMatch.All(match => match != 0));
        }
    }
}
