using Dsde.Statistics;

namespace Dsde.Analytics.Tests.Reporting;

/// <summary>Blocks of values stand for the values.</summary>
public sealed class BlocksTests
{
    private static readonly Func<double, double, double> Add = (one, other) => one + other;

    [Theory]
    [InlineData(1, 1)]
    [InlineData(400, 400)]
    [InlineData(401, 400)]
    [InlineData(5003, 400)]
    public void They_add_up_to_the_same(int count, int blocks)
    {
        double[] values = [.. Enumerable.Range(1, count).Select(number => (double)number)];

        var dealt = Blocks.Of(values, Add);

        dealt.Count.ShouldBe(blocks);
        dealt.Sum().ShouldBe(values.Sum());
        values[0].ShouldBe(1, "The caller's values were changed.");
    }

    [Fact]
    public void They_tell_an_interval_as_the_values_do_also_where_neighbours_are_alike()
    {
        var random = new Random(7);
        (double Accepted, double Proposed)[] outputs =
        [
            .. Enumerable.Range(0, 6000).Select(number => (Accepted: (number < 3000 ? 2 : 6) + random.NextDouble(), Proposed: 8.0)),
        ];

        var exact = Bootstrap.Of(outputs, Rate).ShouldNotBeNull();
        var blocks = Bootstrap
            .Of(Blocks.Of(outputs, (one, other) => (one.Accepted + other.Accepted, one.Proposed + other.Proposed)), Rate)
            .ShouldNotBeNull();

        ((blocks.High - blocks.Low) / (exact.High - exact.Low)).ShouldBe(1, 0.12);
        ((blocks.High + blocks.Low) / (exact.High + exact.Low)).ShouldBe(1, 0.002);

        static double Rate(IReadOnlyList<(double Accepted, double Proposed)> drawn) =>
            drawn.Sum(one => one.Accepted) / drawn.Sum(one => one.Proposed);
    }
}
