using Dsde.Contracts;
using Dsde.Pipeline.Jobs.Run;
using Dsde.Pipeline.Messaging;

namespace Dsde.Pipeline.Tests.Messaging;

public sealed class LaneTests
{
    [Fact]
    public void A_job_of_priority_above_zero_goes_to_the_high_lane_of_its_model()
    {
        var job = new SubmitGenerationJob { JobId = Guid.NewGuid(), Model = "dsde-demo" };

        Lane.Of(job).Queue.ShouldBe("dsde-generation-jobs.dsde-demo");
        Lane.Of(job with { Priority = -1 }).Queue.ShouldBe("dsde-generation-jobs.dsde-demo");
        Lane.Of(job with { Priority = 1 }).Queue.ShouldBe("dsde-generation-jobs.dsde-demo.high");
    }

    [Theory]
    [InlineData("dsde-demo", "dsde-demo", "Bulk")]
    [InlineData("llama3:8b.high", "llama3:8b", "High")]
    [InlineData("Qwen2.5-0.5B.resumed", "Qwen2.5-0.5B", "Resumed")]
    public void A_lane_is_found_by_its_routing_key_and_by_its_queue(string key, string model, string kind)
    {
        var lane = new Lane(model, Enum.Parse<JobLane>(kind));

        lane.RoutingKey.ShouldBe(key);
        Lane.FindByKey(key).ShouldBe(lane);
        Lane.FindByQueue(lane.Queue).ShouldBe(lane);
        Lane.AllOf(model).ShouldContain(lane);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".high")]
    [InlineData("a model")]
    [InlineData("a.high.high")]
    public void What_can_be_no_alias_is_no_lane(string key) => Lane.FindByKey(key).ShouldBeNull();

    [Theory]
    [InlineData(QueueNames.UnroutedGenerationJobs)]
    [InlineData(QueueNames.ParkedGenerationJobs)]
    [InlineData(QueueNames.HeldGenerationJobs)]
    [InlineData(QueueNames.FailedGenerationJobs)]
    [InlineData(QueueNames.DeadGenerationJobs)]
    [InlineData(QueueNames.GenerationJobs)]
    public void Queues_for_all_models_are_no_lanes(string queue) => Lane.FindByQueue(queue).ShouldBeNull();
}
