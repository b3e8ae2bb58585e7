using Dsde.Engine.Sampling;
using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Generation;

/// <summary>A request's tokens depend on itself alone, also in a batch of all modes and parameters.</summary>
public sealed class NeighbourTests(TestPair models) : IClassFixture<TestPair>
{
    [Theory]
    [InlineData(SamplingMode.Rejection)]
    [InlineData(SamplingMode.Coupled)]
    public async Task Neighbours_of_other_modes_change_nothing(SamplingMode mode)
    {
        var requests = SamplingMixes.Requests(SamplingMixes.Sampled, mode, Prompts(16), 24);
        var otherMode = mode == SamplingMode.Coupled ? SamplingMode.Rejection : SamplingMode.Coupled;
        var neighbours = SamplingMixes.Requests([.. SamplingMixes.Sampled, .. SamplingMixes.Greedy], otherMode, Prompts(22), 30);
        await using var alone = Load(models.Target, models.Draft, "static:3", batchSize: 1);
        await using var together = Load(models.Target, models.Draft, "static:3", batchSize: 9);

        var expected = await alone.GenerateAllAsync(requests);
        var actual = await together.GenerateAllAsync(requests.Zip(neighbours).SelectMany(pair => new[] { pair.First, pair.Second }));

        for (var i = 0; i < expected.Length; i++)
        {
            actual[2 * i].Trace.SamplingMode.ShouldBe(mode);
            actual[2 * i].TokenIds.ShouldBe(expected[i].TokenIds);
        }
    }
}
