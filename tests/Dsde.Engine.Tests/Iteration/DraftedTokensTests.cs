using Dsde.Engine.Iteration;

namespace Dsde.Engine.Tests.Iteration;

public class DraftedTokensTests
{
    [Fact]
    public void Planned_Steps_Hold_The_Sequences_Whose_Length_Exceeds_Them()
    {
        var drafted = new DraftedTokens([3, 2, 2, 0]);
        drafted.StepCount.ShouldBe(3);
        drafted.Count.ShouldBe(7);
        Ranks(drafted).ShouldBe(["0 1 2", "0 1 2", "0"]);
        Enumerable.Range(0, 4).Select(drafted.LengthOf).ShouldBe([3, 2, 2, 0]);
        drafted.IndexOf(1, 2).ShouldBe(5);
        drafted.TryIndexOf(2, 1).ShouldBeNull();
        drafted.TryIndexOf(3, 0).ShouldBeNull();
    }

    [Fact]
    public void Steps_Added_One_By_One_May_Leave_Gaps()
    {
        var drafted = new DraftedTokens();
        drafted.AddStep([0, 1, 2, 3]);
        drafted.AddStep([1, 3]);
        drafted.AddStep([3]);
        Enumerable.Range(0, 5).Select(drafted.LengthOf).ShouldBe([1, 2, 1, 3, 0]);
        drafted.IsPrefix(0).ShouldBeTrue();
        drafted.IsPrefix(1).ShouldBeFalse();
        drafted.IndexOf(1, 3).ShouldBe(5);
        drafted.TryIndexOf(1, 2).ShouldBeNull();
        drafted.PlacesBefore(1).ShouldBe([1L, 3L]);
        drafted.PlacesBefore(2).ShouldBe([1L]);
        Should.Throw<ArgumentOutOfRangeException>(() => drafted.IndexOf(1, 0));
    }

    [Fact]
    public void Without_Lengths_There_Is_Nothing() => new DraftedTokens([0, 0]).Count.ShouldBe(0);

    private static IEnumerable<string> Ranks(DraftedTokens drafted) =>
        Enumerable.Range(0, drafted.StepCount).Select(step => string.Join(' ', drafted.RanksIn(step).ToArray()));
}
