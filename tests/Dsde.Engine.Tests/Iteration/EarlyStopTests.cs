using Dsde.Engine.Models.Passes;
using Dsde.Engine.Tests.Batching;
using Dsde.Engine.Tests.Generation;

namespace Dsde.Engine.Tests.Iteration;

/// <summary>Drafting that ends for some sequences of a batch and goes on for others.</summary>
public sealed class EarlyStopTests(TestPair models) : IClassFixture<TestPair>
{
    [Fact]
    public void Draft_Of_A_Stopped_Sequence_Leaves_A_Gap_And_The_Others_Go_On()
    {
        using var loop = new LoopUnderTest(models.Target, models.Draft, batchSize: 8, policy: "adaedl");
        var sequences = EngineUnderTest.Prompts(8).Select(prompt => loop.Add(EngineUnderTest.Greedy(prompt, 48))).ToArray();

        loop.RunToEnd(sequences);

        // Within an iteration draft passes follow each other; a sequence that stopped between two that go on has left a gap.
        var gaps = loop
            .Passes.Zip(loop.Passes.Skip(1))
            .Count(pair =>
                pair.First.Model == "draft" && pair.Second.Model == "draft" && IsGap(Slots(pair.First.Rows), Slots(pair.Second.Rows))
            );
        gaps.ShouldBeGreaterThan(0);
    }

    private static bool IsGap(int[] before, int[] after) =>
        after.Length < before.Length && after.All(before.Contains) && !before.AsSpan(0, after.Length).SequenceEqual(after);

    private static int[] Slots(IReadOnlyList<RowSpan> rows) => [.. rows.Select(span => span.Slot)];
}
