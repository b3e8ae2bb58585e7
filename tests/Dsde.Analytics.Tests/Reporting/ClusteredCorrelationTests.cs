using Dsde.Statistics;

namespace Dsde.Analytics.Tests.Reporting;

public sealed class ClusteredCorrelationTests
{
    [Fact]
    public void Ranks_of_equal_values_are_shared() => ClusteredCorrelation.Ranks([3, 1, 3, 2]).ShouldBe([3.5, 1, 3.5, 2]);

    [Fact]
    public void Coefficients_are_those_of_the_definition()
    {
        double[] x = [1, 2, 3, 4, 5];
        double[] y = [1, 4, 9, 16, 20];
        int[] own = [0, 1, 2, 3, 4];

        ClusteredCorrelation.Spearman(x, y, own)!.Value.Value.ShouldBe(1, 1e-12);
        ClusteredCorrelation.Pearson(x, y, own)!.Value.Value.ShouldBe(0.99210, 1e-5);
        ClusteredCorrelation.Pearson([1, 1, 1], [1, 2, 3], [0, 1, 2]).ShouldBeNull();
        ClusteredCorrelation.Pearson([], [], []).ShouldBeNull();
    }

    [Fact]
    public void Pairs_that_come_in_clusters_of_equals_count_as_few_and_not_as_many()
    {
        var random = new Random(7);
        var (x, y, cluster, alone) = (new List<double>(), new List<double>(), new List<int>(), new List<int>());
        for (var i = 0; i < 20; i++)
        {
            var (a, b) = (random.NextDouble(), random.NextDouble());
            for (var copy = 0; copy < 50; copy++)
            {
                x.Add(a);
                y.Add(b);
                cluster.Add(i);
                alone.Add(alone.Count);
            }
        }

        var (few, many) = (ClusteredCorrelation.Pearson(x, y, cluster)!.Value, ClusteredCorrelation.Pearson(x, y, alone)!.Value);

        few.Value.ShouldBe(many.Value, 1e-9);
        (few.Interval!.Value.High - few.Interval.Value.Low).ShouldBeGreaterThan(4 * (many.Interval!.Value.High - many.Interval.Value.Low));
    }
}
