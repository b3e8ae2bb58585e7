using Dsde.Engine.Batching;
using Dsde.Engine.Sequences;
using static Dsde.Engine.Tests.Generation.EngineUnderTest;

namespace Dsde.Engine.Tests.Batching;

/// <summary>Who gets the next slot. The engine's default: a level of priority is worth 30 seconds of waiting.</summary>
public sealed class WaitingQueueTests(TestPair models) : IClassFixture<TestPair>
{
    [Fact]
    public void Equal_priorities_are_served_in_order_of_arrival_and_higher_ones_first()
    {
        using var loop = new LoopUnderTest(models.Target, models.Draft, batchSize: 1);
        var sequences = new[] { 0, 0, 2, 1, 2 }
            .Select((priority, i) => loop.Add(Greedy([i + 1], 2) with { Priority = priority }))
            .ToArray();

        loop.RunToEnd(sequences);

        Enumerable.Range(0, 5).OrderBy(i => sequences[i].AdmissionNumber).ShouldBe([2, 4, 3, 0, 1]);
    }

    [Fact]
    public void Under_an_endless_stream_of_higher_priority_a_low_one_waits_no_longer_than_its_levels_are_worth()
    {
        using var loop = new LoopUnderTest(models.Target, models.Draft, batchSize: 1);
        var low = loop.Add(Greedy([1], 2));
        var seconds = 0;
        for (; low.Slot < 0 && !low.Completion.Task.IsCompleted; seconds++)
        {
            seconds.ShouldBeLessThan(200);
            loop.Add(Greedy([2, 3], 2) with { Priority = 3 });
            loop.Add(Greedy([2, 4], 2) with { Priority = 3 }); // more than one round can serve
            loop.Time.Advance(TimeSpan.FromSeconds(1));
            loop.Step();
        }

        // Passed only by those that came within 3 · 30 s, of which there are two in a second and one is served in a second.
        seconds.ShouldBeInRange(90, 190);
        loop.RunToEnd();
    }

    [Fact]
    public void Long_jobs_do_not_keep_a_short_one_out()
    {
        using var loop = new LoopUnderTest(models.Target, models.Draft, batchSize: 2);
        var longer = Enumerable.Range(0, 6).Select(i => loop.Add(Greedy([1, i], 100))).ToArray();
        var shorter = loop.Add(Greedy([9], 2));

        loop.RunToEnd([.. longer, shorter]);

        longer.ShouldAllBe(sequence => sequence.AdmissionNumber < shorter.AdmissionNumber);
    }

    [Fact]
    public void Those_that_are_put_back_keep_their_place()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        using var loop = new LoopUnderTest(models.Target, models.Draft);
        var queue = new WaitingQueue(time, TimeSpan.FromSeconds(30));
        Sequence[] sequences = [loop.Add(Greedy([1], 1)), loop.Add(Greedy([2], 1))];
        queue.Enqueue(sequences[0]);
        queue.Enqueue(sequences[1]);
        queue.TryDequeue(out var first).ShouldBeTrue();

        queue.Enqueue(first!);

        queue.TryDequeue(out var again).ShouldBeTrue();
        again.ShouldBeSameAs(sequences[0]);
        queue.Count.ShouldBe(1);
        loop.RunToEnd();
    }
}
