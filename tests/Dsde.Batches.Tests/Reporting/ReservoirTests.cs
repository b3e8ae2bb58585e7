using Dsde.Batches.Reporting;

namespace Dsde.Batches.Tests.Reporting;

public sealed class ReservoirTests
{
    [Fact]
    public void Few_items_are_all_kept()
    {
        Sample(3, 5).ShouldBe([0, 1, 2]);
    }

    [Fact]
    public void Of_many_items_a_fixed_number_from_everywhere_is_kept()
    {
        var kept = Sample(10_000, 100);

        kept.Count.ShouldBe(100);
        kept.Distinct().Count().ShouldBe(100);
        kept.Average().ShouldBe(5000, 1200); // four standard deviations of the mean of 100
    }

    [Fact]
    public void The_same_stream_gives_the_same_sample() => Sample(1000, 10).ShouldBe(Sample(1000, 10));

    private static IReadOnlyList<int> Sample(int stream, int size)
    {
        var reservoir = new Reservoir<int>(size);
        for (var item = 0; item < stream; item++)
        {
            reservoir.Offer(item);
        }

        return reservoir.Items;
    }
}
