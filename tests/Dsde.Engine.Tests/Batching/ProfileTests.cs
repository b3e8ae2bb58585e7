using Dsde.Engine.Batching;
using Dsde.Engine.Kv;
using Dsde.Engine.Loading;
using Dsde.Engine.Tests.Generation;
using Dsde.Speculation;
using Dsde.Speculation.Guarding;
using Dsde.Testing;
using TorchSharp;

namespace Dsde.Engine.Tests.Batching;

/// <summary>The profile of real iterations, and the guard in a whole engine.</summary>
public sealed class ProfileTests(TestPair models) : IClassFixture<TestPair>
{
    [Theory]
    [InlineData(1, 10, 0)]
    [InlineData(4, 10, 0)]
    [InlineData(4, 3, 24)] // sequences run out of room in the middle of it
    public void A_profile_has_the_passes_that_were_asked_for_and_leaves_nothing_behind(int batchSize, int maxSpeculation, int maxLength)
    {
        using var mode = torch.inference_mode();
        var options = new EngineOptions
        {
            Target = models.Target,
            Draft = models.Draft,
            BatchSize = batchSize,
            MaxSpeculationLength = maxSpeculation,
            MaxLength = maxLength,
            DataType = "fp32",
            Device = "cpu",
        };
        using var loaded = LoadedModels.Load(options, ComputeSettings.Choose(options));
        var tensors = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        var timings = new List<(int[] Lengths, IterationKind Kind, IterationTiming Timing)>();
        CostProfile? profile;
        using (var iterations = new ProfiledIterations(loaded, options, torch.CPU, TimeProvider.System))
        {
            profile = new CostProfiler(batchSize, maxSpeculation, hasDraft: true, Measure, TimeProvider.System).Run(
                TimeSpan.FromSeconds(30)
            );

            IterationTiming Measure(int[] lengths, IterationKind kind)
            {
                timings.Add((lengths, kind, iterations.Measure(lengths, kind)));
                return timings[^1].Timing;
            }
        }

        profile.ShouldNotBeNull();
        timings.ShouldAllBe(measured => measured.Timing.Verify.Rows == measured.Lengths.Length + measured.Lengths.Sum());
        timings.ShouldAllBe(measured =>
            measured.Timing.Drafts.Count == (measured.Kind == IterationKind.Drafting ? measured.Lengths[0] : 0)
        );
        timings.ShouldAllBe(measured => measured.Timing.Kind == measured.Kind);
        var caches = new CachePair(loaded.Target.Cache, loaded.Draft!.Cache);
        for (var slot = 0; slot < caches.SlotCount; slot++)
        {
            (caches.Target.LengthOf(slot), caches.DraftLengthOf(slot)).ShouldBe((0, 0));
        }

        DisposeScopeManager.Statistics.ThreadTotalLiveCount.ShouldBe(tensors);
    }

    [Fact]
    public async Task A_draft_that_costs_more_than_it_gains_is_hardly_used_by_guarded_policies_and_used_by_the_others()
    {
        // So much more that a busy machine, whose passes take now this and now that, cannot make it look worth its while.
        using var folder = new ScratchFolder("models");
        var costly = folder.PathOf("costly");
        TestModelFolder.Write(costly, TestPair.TargetShape with { Layers = 4 * TestPair.TargetShape.Layers });
        await using var engine = Load(models.Target, costly, guard: true);
        var requests = EngineUnderTest.Prompts(8).Select(prompt => EngineUnderTest.Greedy(prompt, 60)).ToList();
        foreach (var policy in (string[])["dsde", "goodput"])
        {
            var traces = await RunAsync(engine, requests, policy);
            traces.ShouldAllBe(trace => trace.IsGuarded);
            var (decided, iterations) = (
                traces.Sum(trace => trace.Iterations.DecidedBy.Count(by => by != LengthDecider.Policy)),
                traces.Sum(trace => trace.Iterations.DecidedBy.Length)
            );
            decided.ShouldBeGreaterThan(iterations / 2, policy);
        }

        foreach (var policy in (string[])["dsde-paper", "static:4"])
        {
            var traces = await RunAsync(engine, requests, policy);
            traces.ShouldAllBe(trace => !trace.IsGuarded && trace.Iterations.Allowed.SequenceEqual(trace.Iterations.Wish));
            traces.Sum(trace => trace.Proposed).ShouldBeGreaterThan(200);
        }
    }

    [Fact]
    public async Task Without_the_guard_every_policy_proposes_what_it_wishes()
    {
        await using var engine = Load(models.Target, models.Target, guard: false);
        var requests = EngineUnderTest.Prompts(4).Select(prompt => EngineUnderTest.Greedy(prompt, 40)).ToList();
        var traces = await RunAsync(engine, requests, "goodput");
        traces.ShouldAllBe(trace => !trace.IsGuarded && trace.Iterations.Wish.SequenceEqual(trace.Iterations.SpeculationLength));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Texts_are_the_same_with_and_without_the_guard(float temperature)
    {
        var requests = EngineUnderTest
            .Prompts(12)
            .Select(
                (prompt, index) =>
                    temperature == 0
                        ? EngineUnderTest.Greedy(prompt, 50)
                        : EngineUnderTest.Sampled(prompt, 50, seed: (ulong)index, temperature)
            )
            .ToList();
        await using var plain = Load(models.Target, models.Draft, guard: false);
        await using var guarded = Load(models.Target, models.Draft, guard: true);
        var expected = await plain.GenerateAllAsync(
            requests.Select(request => request with { Policy = PolicyConfiguration.Autoregressive })
        );
        foreach (var policy in (string[])["dsde", "goodput", "dsde-nocap"])
        {
            var results = await guarded.GenerateAllAsync(
                requests.Select(request => request with { Policy = PolicyConfiguration.Parse(policy) })
            );
            results.Select(result => result.TokenIds).ShouldBe(expected.Select(result => result.TokenIds));
        }
    }

    private static GenerationEngine Load(string target, string draft, bool guard) =>
        EngineUnderTest.Load(
            target,
            draft,
            change: options =>
            {
                options.CostGuard = guard;
                options.Numerics = "deterministic";
                options.ProfileSeconds = 1;
            }
        );

    private static async Task<List<Telemetry.GenerationTrace>> RunAsync(
        GenerationEngine engine,
        List<GenerationRequest> requests,
        string policy
    )
    {
        var results = await engine.GenerateAllAsync(
            requests.Select(request => request with { Policy = PolicyConfiguration.Parse(policy) })
        );
        return [.. results.Select(result => result.Trace)];
    }
}
