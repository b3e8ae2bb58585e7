namespace Dsde.Contracts;

/// <summary>Names of the queues of the pipeline.</summary>
public static class QueueNames
{
    /// <summary>Takes <see cref="SubmitGenerationJob"/>; workers compete for its messages.</summary>
    public const string GenerationJobs = "dsde-generation-jobs";

    /// <summary>
    /// Takes <see cref="SubmitGenerationJob"/> as well: the lane of jobs that overtake what waits in <see cref="GenerationJobs"/>, without
    /// stopping it.
    /// </summary>
    public const string HighPriorityGenerationJobs = "dsde-generation-jobs-high";
}
