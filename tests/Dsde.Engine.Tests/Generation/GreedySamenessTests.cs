using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Generation;

/// <summary>Speculation must not change a greedy output, whatever the policy, the draft and the batch.</summary>
public sealed class GreedySamenessTests(TestPair models) : IClassFixture<TestPair>
{
    [Theory]
    [InlineData("dsde", 1)]
    [InlineData("dsde", 4)]
    [InlineData("dsde", 16)]
    [InlineData("dsde-reference-nocap", 4)]
    [InlineData("goodput", 1)]
    [InlineData("goodput", 16)]
    [InlineData("adaedl", 1)]
    [InlineData("adaedl", 16)]
    [InlineData("adaedl-batchstop:5", 4)]
    [InlineData("static:1", 4)]
    [InlineData("static:7", 16)]
    public async Task Greedy_output_is_that_of_autoregressive_decoding(string policy, int batchSize)
    {
        var prompts = Prompts(20);
        await using var plainEngine = Load(models.Target, draft: null, "autoregressive", batchSize: 1);
        await using var engine = Load(models.Target, models.Draft, policy, batchSize);

        var plain = await plainEngine.GenerateAllAsync(prompts.Select(prompt => Greedy(prompt, 48)));
        var speculated = await engine.GenerateAllAsync(prompts.Select(prompt => Greedy(prompt, 48)));

        speculated.Sum(result => result.Trace.Accepted).ShouldBeGreaterThan(0, "Nothing was accepted, so nothing was tried.");
        speculated
            .Sum(result => result.Trace.Proposed)
            .ShouldBeGreaterThan(speculated.Sum(result => result.Trace.Accepted), "Nothing was rejected.");
        for (var i = 0; i < prompts.Length; i++)
        {
            Sameness.ShouldBeSame(speculated[i], plain[i]);
        }
    }

    [Fact]
    public async Task Policies_can_differ_within_a_batch()
    {
        string?[] policies = [null, "autoregressive", "static:3", "dsde-reference", "adaedl", "adaedl-batchstop:4", "goodput"];
        var prompts = Prompts(16);
        await using var plainEngine = Load(models.Target, draft: null, "autoregressive", batchSize: 1);
        await using var engine = Load(models.Target, models.Draft, batchSize: 8);

        var plain = await plainEngine.GenerateAllAsync(prompts.Select(prompt => Greedy(prompt, 40)));
        var mixed = await engine.GenerateAllAsync(prompts.Select((prompt, i) => Greedy(prompt, 40, policies[i % policies.Length])));

        for (var i = 0; i < prompts.Length; i++)
        {
            Sameness.ShouldBeSame(mixed[i], plain[i]);
            mixed[i].Trace.Policy.ShouldBe(policies[i % policies.Length] ?? "dsde");
        }

        mixed.Where(result => result.Trace.Policy == "autoregressive").ShouldAllBe(result => result.Trace.Proposed == 0);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public async Task Working_through_prompts_in_small_portions_changes_nothing(int budget)
    {
        var prompts = Prompts(9);
        await using var atOnce = Load(models.Target, models.Draft);
        await using var inPortions = Load(models.Target, models.Draft, change: options => options.PrefillTokenBudget = budget);

        var expected = await atOnce.GenerateAllAsync(prompts.Select(prompt => Greedy(prompt, 24)));
        var actual = await inPortions.GenerateAllAsync(prompts.Select(prompt => Greedy(prompt, 24)));

        for (var i = 0; i < prompts.Length; i++)
        {
            Sameness.ShouldBeSame(actual[i], expected[i]);
        }
    }

    [Fact]
    public async Task Bf16_speculates_and_ends_every_request()
    {
        await using var engine = Load(models.Target, models.Draft, change: options => options.DataType = "bf16");

        var results = await engine.GenerateAllAsync(Prompts(8).Select(prompt => Greedy(prompt, 30)));

        results.ShouldAllBe(result => result.TokenIds.Count == 30 || result.FinishReason == FinishReason.Stop);
        results.Sum(result => result.Trace.Accepted).ShouldBeGreaterThan(0);
    }
}
