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

    /// <summary>
    /// Where messages of jobs that another worker holds wait for some seconds; the broker passes them on to
    /// <see cref="ResumedGenerationJobs"/>. Nobody consumes it.
    /// </summary>
    public const string WaitingGenerationJobs = "dsde-generation-jobs-waiting";

    /// <summary>What comes from <see cref="WaitingGenerationJobs"/>, so that it need not wait behind jobs that came later.</summary>
    public const string ResumedGenerationJobs = "dsde-generation-jobs-resumed";
}
