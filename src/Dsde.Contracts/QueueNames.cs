namespace Dsde.Contracts;

/// <summary>Names of the queues of the pipeline.</summary>
public static class QueueNames
{
    /// <summary>Takes <see cref="SubmitGenerationJob"/>; workers compete for its messages.</summary>
    public const string GenerationJobs = "dsde-generation-jobs";
}
