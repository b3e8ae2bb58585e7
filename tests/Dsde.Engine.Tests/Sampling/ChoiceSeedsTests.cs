using Dsde.Engine.Sampling;

namespace Dsde.Engine.Tests.Sampling;

public class ChoiceSeedsTests
{
    [Fact]
    public void Of_First_Choice_Is_The_Requests_Own_Seed()
    {
        ChoiceSeeds.Of(42, 0).ShouldBe(42ul);
    }

    [Fact]
    public void Of_Choices_Of_Neighbouring_Seeds_All_Differ_And_Are_The_Same_Each_Time()
    {
        var seeds = Enumerable
            .Range(0, 100)
            .SelectMany(seed => Enumerable.Range(0, 100).Select(choice => ChoiceSeeds.Of((ulong)seed, choice)))
            .ToArray();

        seeds.ShouldBeUnique();
        ChoiceSeeds.Of(7, 3).ShouldBe(ChoiceSeeds.Of(7, 3));
    }
}
