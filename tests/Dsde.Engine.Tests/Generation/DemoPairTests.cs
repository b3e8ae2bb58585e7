namespace Dsde.Engine.Tests.Generation;

/// <summary>The demo pair on every sample prompt: speculation changes no greedy output, at any batch size.</summary>
public sealed class DemoPairTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(16)]
    public async Task Greedy_outputs_of_all_sample_prompts_are_those_of_autoregressive_decoding(int batchSize)
    {
        await using var plainEngine = EngineUnderTest.Load(DemoSamples.Target, draft: null, "autoregressive", batchSize: 16);
        await using var engine = EngineUnderTest.Load(DemoSamples.Target, DemoSamples.Draft, "dsde", batchSize);
        var requests = DemoSamples.Read(engine.PromptEncoder);

        var plain = await plainEngine.GenerateAllAsync(requests);
        var speculated = await engine.GenerateAllAsync(requests);

        requests.Count.ShouldBeGreaterThanOrEqualTo(64);
        for (var i = 0; i < requests.Count; i++)
        {
            Sameness.ShouldBeSame(speculated[i], plain[i]);
        }

        (speculated.Sum(result => result.Trace.Accepted) / (double)speculated.Sum(result => result.Trace.Proposed)).ShouldBeGreaterThan(
            0.3
        );
    }

    [Fact]
    public async Task The_target_as_its_own_draft_is_never_refused()
    {
        await using var engine = EngineUnderTest.Load(DemoSamples.Target, DemoSamples.Target, "static:5", batchSize: 16);

        var results = await engine.GenerateAllAsync(DemoSamples.Read(engine.PromptEncoder));

        // A near-tie can fall the other way in a product of another shape; such a rejection is at a margin of nothing.
        var refusals = results.Sum(result => result.Trace.Proposed - result.Trace.Iterations.Accepted.Sum());
        refusals.ShouldBeLessThanOrEqualTo(results.Sum(result => result.Trace.Tokens.Margin.Count(margin => margin < 1e-3f)) * 5);
        results.Average(result => result.Trace.Proposals.Beta.Average()).ShouldBeGreaterThan(0.9999f);
    }
}
