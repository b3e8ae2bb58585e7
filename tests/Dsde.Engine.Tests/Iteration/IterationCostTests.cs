using Dsde.Engine.Tests.Batching;
using Dsde.Speculation;
using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Iteration;

/// <summary>What an iteration costs besides its passes, as far as it can be counted instead of timed.</summary>
public sealed class IterationCostTests(TestPair models) : IClassFixture<TestPair>
{
    private const int WarmUpRounds = 40;
    private const int Rounds = 40;

    [Fact]
    public void An_iteration_allocates_few_managed_bytes_and_later_ones_no_more()
    {
        const int MostBytes = 24_000; // of indices, layouts, tensor wrappers and telemetry: nothing by layer or token of the vocabulary
        using var loop = new LoopUnderTest(
            models.Target,
            models.Draft,
            policy: "autoregressive",
            change: options => options.Numerics = "deterministic"
        );
        loop.Add(Greedy([1, 2, 3], 200) with { IgnoreEos = true });
        BytesPerRound(loop, WarmUpRounds);

        var early = BytesPerRound(loop, Rounds);
        var late = BytesPerRound(loop, Rounds);

        early.ShouldBeInRange(1, MostBytes);
        late.ShouldBeInRange(1, (long)(early * 1.1));
    }

    [Fact]
    public void Iterations_without_proposals_cost_what_autoregressive_ones_do()
    {
        var (plainPasses, plainBytes) = Run(null);
        var (passes, bytes) = Run(new ScriptedPolicy(_ => 0));

        passes.ShouldBe(plainPasses); // no draft pass, and the target's have the same rows
        bytes.ShouldBeInRange(1, (long)(plainBytes * 1.05));

        (List<string> Passes, long Bytes) Run(ISpeculationPolicy? policy)
        {
            using var loop = new LoopUnderTest(
                models.Target,
                models.Draft,
                policy: "autoregressive",
                change: options => options.Numerics = "deterministic"
            );
            loop.Add(Greedy([1, 2, 3], 200) with { IgnoreEos = true }, policy);
            loop.Add(Greedy([4, 5], 200) with { IgnoreEos = true }, policy);
            BytesPerRound(loop, WarmUpRounds);
            loop.Passes.Clear();
            var allocated = BytesPerRound(loop, Rounds);
            return ([.. loop.Passes.Select(pass => $"{pass.Model}: {string.Join(", ", pass.Rows)}")], allocated);
        }
    }

    private static long BytesPerRound(LoopUnderTest loop, int rounds)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < rounds; round++)
        {
            loop.Step();
        }

        return (GC.GetAllocatedBytesForCurrentThread() - before) / rounds;
    }
}
