using Dsde.Engine.Sampling;
using Dsde.Engine.Sequences;
using Dsde.Engine.Tests.Generation;
using Dsde.Testing;
using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Batching;

/// <summary>
/// Memory for keys and values that does not hold everybody at full length: it is shared block by block, and when it runs dry who came last
/// makes room and comes back. 512 bytes a position of both models: 1 MiB are 64 blocks of 32, what 16 sequences of 128 take.
/// </summary>
public sealed class RunningDryTests(TestPair models) : IClassFixture<TestPair>
{
    private const int Blocks = 64;

    [Theory]
    [InlineData("dsde", null)]
    [InlineData("static:5", null)]
    [InlineData("autoregressive", null)]
    [InlineData("goodput", null)]
    [InlineData("dsde", SamplingMode.Coupled)]
    [InlineData("static:3", SamplingMode.Rejection)]
    public void Sequences_that_make_room_for_others_come_back_and_end_as_if_they_had_been_alone(string policy, SamplingMode? mode)
    {
        var requests = Prompts(24).Select((prompt, i) => Request(prompt, 100 - (i % 7), (ulong)i, mode)).ToArray();
        using var loop = Loop(policy, batchSize: 24);
        loop.Snapshot.KvBlocks.ShouldBe(0); // no round yet

        var sequences = requests.Select(request => loop.Add(request)).ToArray();
        var results = loop.RunToEnd(sequences);

        loop.Snapshot.KvBlocks.ShouldBe(Blocks);
        loop.Snapshot.Suspensions.ShouldBeGreaterThan(0);
        loop.Snapshot.OutOfMemory.ShouldBe(0);
        loop.Snapshot.Emitted.ShouldBe(results.Sum(result => (long)result.TokenIds.Count));
        using var roomy = new LoopUnderTest(models.Target, models.Draft, batchSize: 24, policy: policy);
        var expected = roomy.RunToEnd([.. requests.Select(request => roomy.Add(request))]);
        roomy.Snapshot.Suspensions.ShouldBe(0);
        for (var i = 0; i < requests.Length; i++)
        {
            Sameness.ShouldBeSame(results[i], expected[i]);
        }
    }

    [Fact]
    public void What_came_first_is_never_held_up_by_what_came_later()
    {
        using var loop = Loop("static:2", batchSize: 40);
        var first = loop.Add(Greedy([1, 2, 3], 120) with { IgnoreEos = true });
        var rounds = 0;
        for (; !first.Completion.Task.IsCompleted; rounds++)
        {
            loop.Add(Greedy([.. Enumerable.Range(rounds % 50, 60)], 60) with { IgnoreEos = true });
            loop.Step();
            (first.Slot >= 0 || first.IsOver).ShouldBeTrue("The first has been taken out.");
        }

        rounds.ShouldBeLessThan(121);
        loop.Snapshot.Suspensions.ShouldBeGreaterThan(0);
        loop.RunToEnd();
    }

    [Fact]
    public void A_large_prompt_waits_for_room_and_small_ones_behind_it_do_not_pass_it()
    {
        using var loop = Loop("autoregressive", batchSize: 40);
        var running = Enumerable.Range(0, 15).Select(i => loop.Add(Greedy(Distinct(97, i), 20) with { IgnoreEos = true })).ToArray();
        loop.Add(Greedy([1, 2], 20) with { IgnoreEos = true });
        loop.Step();
        running.ShouldAllBe(sequence => sequence.Slot >= 0); // three blocks are free
        var large = loop.Add(Greedy(Distinct(125, 40), 2));
        var small = Enumerable.Range(0, 5).Select(i => loop.Add(Greedy([7, i], 2))).ToArray();
        loop.Step();
        loop.Step();

        loop.Snapshot.Waiting.ShouldBe(6);
        loop.RunToEnd([large, .. small]);
        small.ShouldAllBe(sequence => sequence.AdmissionNumber > large.AdmissionNumber);
    }

    [Fact]
    public void With_room_for_eight_whole_contexts_at_least_64_short_sequences_run_at_once()
    {
        using var folder = new ScratchFolder("context");
        TestModelFolder.Write(folder.Path, TestPair.TargetShape with { Context = 512 });
        var eightContexts = 8 * 512 * (2 * 768) / (1 << 20); // target as its own draft: 768 bytes a position each, heads of 8 kept as 16
        using var loop = new LoopUnderTest(
            folder.Path,
            folder.Path,
            batchSize: 100,
            policy: "dsde",
            change: options => options.KvCacheMegabytes = eightContexts
        );
        var sequences = Prompts(100).Select(prompt => loop.Add(Greedy(prompt, 6) with { IgnoreEos = true })).ToArray();
        loop.Step();

        loop.Snapshot.Running.ShouldBeGreaterThanOrEqualTo(64);
        loop.Snapshot.KvBlocks.ShouldBe(8 * 512 / 32);
        loop.RunToEnd(sequences).ShouldAllBe(result => result.TokenIds.Count == 6);
    }

    [Fact]
    public void Many_that_begin_alike_run_together_because_their_prefix_is_there_once()
    {
        var common = Distinct(96, 1);
        using var loop = Loop("dsde", batchSize: 24);
        var sequences = Enumerable
            .Range(0, 24)
            .Select(i => loop.Add(Greedy([.. common, i, 255 - i], 20) with { IgnoreEos = true }))
            .ToArray();
        loop.Step();
        loop.Step();

        loop.Snapshot.Running.ShouldBe(24); // apart they would take 96 blocks and more
        loop.Snapshot.ReusedPromptTokens.ShouldBe(23 * 96);
        loop.Snapshot.KvBlocksFree.ShouldBeGreaterThanOrEqualTo(Blocks - 3 - 25);
        loop.RunToEnd(sequences).ShouldAllBe(result => result.TokenIds.Count == 20);
        loop.Snapshot.Suspensions.ShouldBe(0);
    }

    [Fact]
    public void What_ended_sequences_left_makes_room_before_anybody_waits()
    {
        using var loop = Loop("static:2", batchSize: 16);
        loop.RunToEnd([.. Enumerable.Range(0, 16).Select(i => loop.Add(Greedy(Distinct(100, i), 27) with { IgnoreEos = true }))]);
        loop.Snapshot.KvBlocksFree.ShouldBe(0);

        var others = Enumerable.Range(0, 16).Select(i => loop.Add(Greedy(Distinct(100, 20 + i), 27) with { IgnoreEos = true })).ToArray();
        loop.Step();

        loop.Snapshot.Running.ShouldBe(16);
        loop.RunToEnd(others).ShouldAllBe(result => result.TokenIds.Count == 27);
        loop.Snapshot.Suspensions.ShouldBe(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Whoever_leaves_in_the_middle_of_a_prompt_gives_all_back(bool byToken)
    {
        using var source = new CancellationTokenSource();
        var control = new GenerationControl();
        using var loop = Loop("dsde", batchSize: 4, budget: 20, retainedSlots: 0);
        var leaving = loop.Add(Greedy(Distinct(60, 3), 20) with { Control = control }, cancellation: source.Token);
        var waiting = loop.Add(Greedy(Distinct(60, 4), 20) with { Control = control }, cancellation: source.Token);
        loop.Step();
        loop.Snapshot.KvBlocksFree.ShouldBeLessThan(loop.Snapshot.KvBlocks);
        leaving.IsDecoding.ShouldBeFalse();

        if (byToken)
        {
            source.Cancel();
        }
        else
        {
            control.Cancel();
        }

        loop.RunToEnd();
        (leaving.Completion.Task.IsCompleted && waiting.Completion.Task.IsCompleted).ShouldBeTrue();
        loop.Target.Cache.FreeBlockCount.ShouldBe(loop.Target.Cache.BlockCount);
        loop.Draft.Cache.FreeBlockCount.ShouldBe(loop.Draft.Cache.BlockCount);
    }

    [Theory]
    [InlineData("dsde")]
    [InlineData("autoregressive")]
    public void Where_all_layers_slide_what_no_row_sees_is_given_back_and_texts_are_the_same(string policy)
    {
        using var folder = new ScratchFolder("sliding");
        var shape = TestPair.TargetShape with { Family = TestFamily.Mistral, SlidingWindow = 40, Context = 512 };
        TestModelFolder.Write(folder.PathOf("target"), shape);
        TestModelFolder.Write(folder.PathOf("draft"), shape with { Layers = 1 });
        var requests = Enumerable.Range(0, 3).Select(i => Greedy(Distinct(150, i), 300 - i) with { IgnoreEos = true }).ToArray();
        using var loop = new LoopUnderTest(folder.PathOf("target"), folder.PathOf("draft"), policy: policy, budget: 64);
        var sequences = requests.Select(request => loop.Add(request)).ToArray();
        var most = 0;
        while (!sequences.All(sequence => sequence.Completion.Task.IsCompleted))
        {
            loop.Step();
            if (sequences.All(sequence => sequence.IsDecoding && sequence.EmittedCount > 1))
            {
                most = Math.Max(most, loop.Snapshot.KvBlocks - loop.Snapshot.KvBlocksFree);
            }
        }

        most.ShouldBeInRange(3, 3 * 3); // 40 positions lie in at most three blocks
        for (var i = 0; i < requests.Length; i++)
        {
            using var alone = new LoopUnderTest(folder.PathOf("target"), draft: null, policy: "autoregressive", budget: 512);
            LoopUnderTest.ResultOf(sequences[i]).TokenIds.ShouldBe(alone.RunToEnd(alone.Add(requests[i]))[0].TokenIds);
        }
    }

    [Fact]
    public void A_model_with_a_context_of_128_k_starts_with_defaults()
    {
        using var folder = new ScratchFolder("long");
        TestModelFolder.Write(folder.Path, TestPair.TargetShape with { Context = 131072 });
        using var loop = new LoopUnderTest(folder.Path, draft: null, batchSize: 8, policy: "autoregressive");

        loop.RunToEnd(loop.Add(Greedy([1, 2, 3], 40) with { IgnoreEos = true }))[0].TokenIds.Count.ShouldBe(40);

        (loop.Snapshot.KvBlocks - loop.Snapshot.KvBlocksFree).ShouldBe(2);
    }

    private LoopUnderTest Loop(string policy, int batchSize, int budget = 512, int retainedSlots = 1) =>
        new(
            models.Target,
            models.Draft,
            batchSize,
            budget,
            policy,
            options => (options.KvCacheMegabytes, options.RetainedSlots) = (2, retainedSlots)
        );

    private static GenerationRequest Request(int[] prompt, int maxTokens, ulong seed, SamplingMode? mode)
    {
        var request = mode is null ? Greedy(prompt, maxTokens) : Sampled(prompt, maxTokens, seed);
        return request with { IgnoreEos = true, Sampling = request.Sampling with { Mode = mode } };
    }

    private static int[] Distinct(int count, int seed) => [.. Enumerable.Range(0, count).Select(i => ((i * 31) + (seed * 57) + 11) % 251)];
}
