using Dsde.Engine.Tests.Batching;
using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Sequences;

/// <summary>Many outputs of one prompt wait with one prompt.</summary>
public sealed class WaitingPromptTests(TestPair models) : IClassFixture<TestPair>
{
    private const int Count = 128;

    [Fact]
    public void Requests_that_wait_hold_no_copies_of_their_prompt()
    {
        using var loop = new LoopUnderTest(models.Target, models.Draft, batchSize: 1);
        int[] prompt = [.. Enumerable.Range(0, 120)];
        var running = loop.Add(Greedy(prompt, 4));
        loop.Step();
        var small = Allocated(loop, [1]);
        var large = Allocated(loop, prompt);

        ((large - small) / Count).ShouldBeLessThan(prompt.Length * sizeof(int) / 4);
        loop.RunToEnd(running)[0].TokenIds.Count.ShouldBe(4);
    }

    private static long Allocated(LoopUnderTest loop, int[] prompt)
    {
        var request = Greedy(prompt, 1);
        loop.Add(request);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Count; i++)
        {
            loop.Add(request);
        }

        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
