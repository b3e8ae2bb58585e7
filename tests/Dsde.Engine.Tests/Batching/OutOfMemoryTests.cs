using System.Runtime.InteropServices;
using Dsde.Engine.Batching;
using Dsde.Engine.Loading;
using Dsde.Engine.Tests.Generation;
using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Batching;

/// <summary>A device that is full costs time, not requests, unless one does not fit alone.</summary>
public sealed class OutOfMemoryTests(TestPair models) : IClassFixture<TestPair>
{
    private const string CudaText = "CUDA out of memory. Tried to allocate 2.00 GiB.";

    [Theory]
    [InlineData("target", 1)]
    [InlineData("target", 3)]
    [InlineData("draft", 2)]
    [InlineData("draft", 6)]
    public void A_pass_that_fails_once_is_done_again_with_fewer_and_outputs_are_the_same(string model, int failingPass)
    {
        var requests = Prompts(6).Select((prompt, i) => Greedy(prompt, 30 + i)).ToArray();
        using var loop = new LoopUnderTest(models.Target, models.Draft, batchSize: 6);
        var passes = 0;
        (model == "target" ? loop.Target : loop.Draft).BeforePass += _ => FailIf(++passes == failingPass);

        var results = loop.RunToEnd([.. requests.Select(request => loop.Add(request))]);

        loop.Snapshot.OutOfMemory.ShouldBe(1);
        loop.Snapshot.Emitted.ShouldBe(results.Sum(result => (long)result.TokenIds.Count));
        for (var i = 0; i < requests.Length; i++)
        {
            using var alone = new LoopUnderTest(models.Target, models.Draft);
            Sameness.ShouldBeSame(results[i], alone.RunToEnd(alone.Add(requests[i]))[0]);
        }
    }

    [Fact]
    public void The_batch_shrinks_to_what_fits_and_grows_again_when_it_may()
    {
        using var loop = new LoopUnderTest(models.Target, models.Draft, batchSize: 6);
        var isFull = true;
        loop.Target.BeforePass += rows => FailIf(isFull && rows.Spans.Count > 2);
        var sequences = Prompts(12).Select(prompt => loop.Add(Greedy(prompt, 40))).ToArray();

        loop.RunToEnd(sequences).ShouldAllBe(result => result.TokenIds.Count == 40);
        loop.Snapshot.BatchLimit.ShouldBeInRange(1, 2);

        isFull = false;
        loop.RunToEnd([.. Enumerable.Range(0, 60).Select(i => loop.Add(Greedy([i + 1, 2], 60)))]);
        loop.Snapshot.BatchLimit.ShouldBeGreaterThan(2);
    }

    [Fact]
    public void Only_the_request_that_does_not_fit_alone_fails()
    {
        using var loop = new LoopUnderTest(models.Target, models.Draft, batchSize: 3);
        loop.Target.BeforePass += rows => FailIf(rows.KeyCount > 90);
        var large = loop.Add(Greedy([.. Enumerable.Range(0, 80)], 40));
        var small = Prompts(4).Select(prompt => loop.Add(Greedy(prompt, 20))).ToArray();

        var results = loop.RunToEnd(small);

        results.ShouldAllBe(result => result.TokenIds.Count == 20);
        large.Completion.Task.Exception.ShouldNotBeNull().InnerException.ShouldBeOfType<EngineFailureException>();
    }

    [Fact]
    public async Task The_engine_says_so_to_a_request_that_does_not_fit_and_serves_the_next()
    {
        await using var engine = Load(models.Target, models.Draft);
        engine.Models.Target.BeforePass = rows => FailIf(rows.KeyCount > 30);

        var failure = await Should.ThrowAsync<EngineFailureException>(() =>
            engine.GenerateAsync(Greedy([1, 2, 3], 60), TestContext.Current.CancellationToken)
        );
        var next = await engine.GenerateAsync(Greedy([1, 2, 3], 10), TestContext.Current.CancellationToken);

        failure.Message.ShouldContain("not even alone");
        next.TokenIds.Count.ShouldBe(10);
    }

    [Theory]
    [InlineData(CudaText, true)]
    [InlineData(
        "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 8589934592 "
            + "bytes. Error code 12 (Cannot allocate memory)",
        true
    )]
    [InlineData("DefaultCPUAllocator: not enough memory: you tried to allocate 8589934592 bytes.", true)]
    [InlineData("The size of tensor a (3) must match the size of tensor b (4)", false)]
    public void Only_allocation_failures_are_taken_for_such(string message, bool isOne)
    {
        AllocationFailure.Is(new TorchError(message)).ShouldBe(isOne);
        AllocationFailure.Is(new InvalidOperationException(message)).ShouldBeFalse();
    }

    [Fact]
    public void Torch_itself_fails_in_a_way_that_is_recognised()
    {
        var failure = Should.Throw<Exception>(() => TorchSharp.torch.empty(1L << 50));
        AllocationFailure.Is(failure).ShouldBeTrue(failure.Message);
    }

    private static void FailIf(bool isFull)
    {
        if (isFull)
        {
            throw new TorchError(CudaText);
        }
    }

    /// <summary>What TorchSharp throws is of this type, which only the runtime may make.</summary>
    private sealed class TorchError(string message) : ExternalException(message);
}
