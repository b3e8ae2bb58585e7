using Dsde.Engine.Kv;
using Dsde.Engine.Models;
using static TorchSharp.torch;

namespace Dsde.Engine.Tests.Kv;

public sealed class KvPlanTests(TestPair models) : IClassFixture<TestPair>
{
    private const int Long = 16384;

    /// <summary>3 and 1 layers of 2 heads of 8, keys and values, 4 bytes: 512 bytes a position, 8 MiB a slot of 16384.</summary>
    [Theory]
    [InlineData(0, 8, 9)]
    [InlineData(8, 1, 1)]
    [InlineData(40, 5, 5)]
    [InlineData(64, 8, 8)]
    [InlineData(72, 8, 9)]
    [InlineData(1000, 8, 9)]
    public void Memory_bounds_how_many_run_and_what_is_left_is_for_ended_ones(int megabytes, int batchSize, int slots)
    {
        Create(megabytes).ShouldBe(new KvPlan(batchSize, slots));
    }

    [Fact]
    public void A_single_sequence_that_does_not_fit_is_an_error_that_says_what_would()
    {
        var error = Should.Throw<ModelLoadException>(() => Create(7));

        error.Message.ShouldContain("KvCacheMegabytes is 7");
        error.Message.ShouldContain("takes 8");
        error.Message.ShouldContain("at most 14336");
    }

    [Fact]
    public async Task An_engine_with_room_for_two_runs_two_and_serves_all()
    {
        // 64 KiB a slot of 128 positions: 1 MiB holds 16.
        await using var engine = Generation.EngineUnderTest.Load(
            models.Target,
            models.Draft,
            batchSize: 40,
            change: options => options.KvCacheMegabytes = 1
        );

        engine.Description.BatchSize.ShouldBe(16);
        var results = await Generation.EngineUnderTest.GenerateAllAsync(
            engine,
            Generation.EngineUnderTest.Prompts(30).Select(prompt => Generation.EngineUnderTest.Greedy(prompt, 10) with { IgnoreEos = true })
        );
        results.ShouldAllBe(result => result.TokenIds.Count == 10);
    }

    private KvPlan Create(int megabytes) =>
        KvPlan.Create(
            new EngineOptions
            {
                BatchSize = 8,
                RetainedSlots = 1,
                KvCacheMegabytes = megabytes,
            },
            Long,
            ModelFolder.Open(models.Target).Config,
            ModelFolder.Open(models.Draft).Config,
            ScalarType.Float32
        );
}
