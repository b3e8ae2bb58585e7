using Dsde.Pipeline.Jobs.Run;

namespace Dsde.Pipeline.Tests.Jobs;

public sealed class SuspicionTests
{
    [Theory]
    [InlineData(0, 3, 8, null)]
    [InlineData(2, 3, 8, null)]
    [InlineData(3, 3, 8, 4)]
    [InlineData(4, 3, 8, 2)]
    [InlineData(5, 3, 8, 1)]
    [InlineData(6, 3, 8, 1)]
    [InlineData(3, 3, 1, 1)]
    [InlineData(3, 3, 7, 3)]
    [InlineData(1, 1, 64, 32)]
    [InlineData(100, 1, 64, 1)]
    public void The_jobs_beside_one_are_halved_with_every_start_lost_from_the_limit_on(int lost, int limit, int batchSize, int? most) =>
        Suspicion.MostInside(lost, limit, batchSize).ShouldBe(most);
}
