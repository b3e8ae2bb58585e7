using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Generation;

/// <summary>A model that drafts for itself is never refused: anything less means that draft and target see different pasts (PITFALLS 10).</summary>
public sealed class SelfDraftTests(TestPair models) : IClassFixture<TestPair>
{
    [Theory]
    [InlineData("static:4", 0f)]
    [InlineData("dsde", 0f)]
    [InlineData("adaedl", 0f)]
    [InlineData("static:4", 1f)]
    [InlineData("adaedl", 0.7f)]
    [InlineData("dsde", 0.7f)]
    public async Task Every_proposal_is_accepted(string policy, float temperature)
    {
        await using var engine = Load(models.Target, models.Target, policy, batchSize: 3);

        var results = await engine.GenerateAllAsync(
            Prompts(10).Select((prompt, i) => Sampled(prompt, 40, seed: (ulong)i, temperature, topK: temperature > 0 ? 20 : 0)));

        // In fp32 the ratio p/q is 1 within rounding, so a rejection is possible in principle, about once in a million proposals.
        results.Sum(result => result.Trace.Iterations.Accepted.Sum()).ShouldBe(results.Sum(result => result.Trace.Proposed));
        results.ShouldAllBe(result => result.Trace.Proposals.Kld.All(kld => Math.Abs(kld) < 1e-3f));
        results.ShouldAllBe(result => result.Trace.Proposals.Beta.All(beta => beta > 0.999f));
    }
}
