using Dsde.Contracts;
using MassTransit;

namespace Dsde.Batches.Following;

/// <summary>Hands the ends of jobs to the follower.</summary>
internal sealed class FollowerConsumer(BatchFollower follower)
    : IConsumer<GenerationJobCompleted>,
        IConsumer<GenerationJobFailed>,
        IConsumer<GenerationJobCancelled>
{
    /// <inheritdoc/>
    public Task Consume(ConsumeContext<GenerationJobCompleted> context) => See(context.Message);

    /// <inheritdoc/>
    public Task Consume(ConsumeContext<GenerationJobFailed> context) => See(context.Message);

    /// <inheritdoc/>
    public Task Consume(ConsumeContext<GenerationJobCancelled> context) => See(context.Message);

    private Task See(object jobEvent)
    {
        follower.See(jobEvent);
        return Task.CompletedTask;
    }
}
