using Dsde.Persistence.Jobs;

namespace Dsde.Pipeline.Jobs.Run;

/// <summary>The job can never run. Never leaves the worker: it becomes the job's end.</summary>
internal sealed class JobRejectedException(string code, string message) : Exception(message)
{
    /// <summary>The end.</summary>
    public JobFailure Failure { get; } = new(code, message, Retryable: false);
}
