using System.Diagnostics;
using Dsde.Engine.Tests.Generation;
using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Batching;

/// <summary>
/// Memory over time: tensors of the engine's thread, managed allocations per token, and, in the slow variant, the process.
/// </summary>
[Collection(nameof(TensorLeakTests))]
public sealed class MemoryTests(TestPair models) : IClassFixture<TestPair>
{
    [Fact]
    public async Task Tensors_do_not_accumulate_and_allocations_per_token_are_flat()
    {
        await using var engine = Load(models.Target, models.Draft, batchSize: 4);
        await RunAsync(engine, 24);
        var first = engine.GetSnapshot();
        await RunAsync(engine, 60);
        var second = engine.GetSnapshot();
        await RunAsync(engine, 60);
        var third = engine.GetSnapshot();

        (third.Iterations - first.Iterations).ShouldBeGreaterThan(1000);
        third.LiveTensors.ShouldBeLessThanOrEqualTo(first.LiveTensors);
        PerToken(second, third).ShouldBe(PerToken(first, second), PerToken(first, second) * 0.1);
    }

    /// <summary>10,000 jobs with DSDE_SLOW_TESTS=1; else few, which show the tensors but hardly the process.</summary>
    [Fact]
    public async Task Many_jobs_leave_the_process_as_large_as_it_was()
    {
        var isSlow = Environment.GetEnvironmentVariable("DSDE_SLOW_TESTS") == "1";
        var jobs = isSlow ? 1000 : 30;
        await using var engine = Load(models.Target, models.Draft, batchSize: 16);
        await RunAsync(engine, 2 * jobs);
        var (residentBefore, before) = (ResidentBytes(), engine.GetSnapshot());

        for (var part = 0; part < 8; part++)
        {
            await RunAsync(engine, jobs);
            var now = engine.GetSnapshot();
            TestContext.Current.SendDiagnosticMessage(
                $"{(part + 3) * jobs} jobs: {ResidentBytes() >> 10} KiB, {now.LiveTensors} tensors, {PerToken(before, now):F0} managed "
                    + "bytes per token"
            );
        }

        engine.GetSnapshot().LiveTensors.ShouldBeLessThanOrEqualTo(before.LiveTensors);
        (ResidentBytes() - residentBefore).ShouldBeLessThan(residentBefore / (isSlow ? 10 : 2));
    }

    private static double PerToken(EngineSnapshot before, EngineSnapshot after) =>
        (after.AllocatedBytes - before.AllocatedBytes) / (double)(after.Emitted - before.Emitted);

    private static Task<GenerationResult[]> RunAsync(GenerationEngine engine, int jobs) =>
        engine.GenerateAllAsync(
            Enumerable
                .Range(0, jobs)
                .Select(i =>
                    Sampled(Prompts(16)[i % 16], 60, (ulong)i, temperature: i % 3 * 0.5f, topK: i % 4 * 10) with
                    {
                        IgnoreEos = true,
                    }
                )
        );

    private static long ResidentBytes()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }
}
