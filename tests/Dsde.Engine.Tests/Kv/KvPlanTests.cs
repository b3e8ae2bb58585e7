using Dsde.Engine.Kv;
using Dsde.Engine.Models;
using static TorchSharp.torch;

namespace Dsde.Engine.Tests.Kv;

public sealed class KvPlanTests(TestPair models) : IClassFixture<TestPair>
{
    private const int Long = 16384;
    private const long Mebi = 1 << 20;

    /// <summary>
    /// 3 and 1 layers of 2 heads of 8, kept as 16, keys and values, 4 bytes: 1024 bytes a position, 32 KiB a block, 16 MiB for 16384.
    /// </summary>
    [Theory]
    [InlineData(16, 512)]
    [InlineData(80, 2560)]
    [InlineData(144, 9 * 512)]
    [InlineData(1000, 9 * 512)] // what nobody can ever use is not taken
    public void The_memory_that_is_given_is_blocks_for_all(int megabytes, int blocks)
    {
        Create(megabytes, Long, available: 0).ShouldBe(new KvPlan(9, blocks, Long));
        Create(0, Long, available: megabytes * Mebi).ShouldBe(new KvPlan(9, blocks, Long));
    }

    [Fact]
    public void A_length_that_was_asked_for_and_does_not_fit_is_an_error_that_says_what_would()
    {
        var error = Should.Throw<ModelLoadException>(() => Create(15, Long, available: 0));

        error.Message.ShouldContain("takes 16 MiB");
        error.Message.ShouldContain("there are 15");
        error.Message.ShouldContain("at most 15360");
    }

    [Fact]
    public void A_context_that_nobody_asked_for_is_cut_to_what_fits_and_that_is_said()
    {
        var plan = Create(0, maxLength: 0, available: 15 * Mebi);

        plan.ShouldBe(new KvPlan(9, 480, 15360));
        plan.Warn(Long, new EngineOptions())
            .ShouldNotBeNull()
            .ShouldContain("allow 16384 tokens, but the memory for keys and values holds 15360");
        Create(0, maxLength: 0, available: 16 * Mebi).Warn(Long, new EngineOptions()).ShouldBeNull();
        Should.Throw<ModelLoadException>(() => Create(0, maxLength: 0, available: 1000)).Message.ShouldContain("there are 0");
    }

    private KvPlan Create(int megabytes, int maxLength, long available) =>
        KvPlan.Create(
            new EngineOptions
            {
                BatchSize = 8,
                RetainedSlots = 1,
                MaxLength = maxLength,
                KvCacheMegabytes = megabytes,
            },
            Long,
            ModelFolder.Open(models.Target).Config,
            ModelFolder.Open(models.Draft).Config,
            ScalarType.Float32,
            available
        );
}
