using Dsde.Contracts;
using Dsde.Pipeline.Messaging;

namespace Dsde.Pipeline.Tests.Messaging;

public sealed class LaneTests
{
    [Fact]
    public void A_job_of_priority_above_zero_goes_to_the_high_lane()
    {
        var job = new SubmitGenerationJob { JobId = Guid.NewGuid(), Model = "dsde-demo" };

        Lane.Of(job).Queue.ShouldBe("dsde-generation-jobs");
        Lane.Of(job with { Priority = -1 }).Queue.ShouldBe("dsde-generation-jobs");
        Lane.Of(job with { Priority = 1 }).Queue.ShouldBe("dsde-generation-jobs-high");
    }
}
