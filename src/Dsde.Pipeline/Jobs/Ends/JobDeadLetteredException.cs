namespace Dsde.Pipeline.Jobs.Ends;

/// <summary>
/// Moves the message of a job that has failed, and was announced as failed, to the error queue. The reason has code and message of the
/// failure, and no text of the job.
/// </summary>
internal sealed class JobDeadLetteredException(Guid jobId, string reason) : Exception($"Job {jobId} failed: {reason}");
