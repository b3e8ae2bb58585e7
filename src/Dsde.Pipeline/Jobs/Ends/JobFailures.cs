using Dsde.Contracts;
using Dsde.Persistence.Jobs;

namespace Dsde.Pipeline.Jobs.Ends;

/// <summary>Failures that are not the request's fault.</summary>
internal static class JobFailures
{
    /// <summary>Its workers died of it, again and again while it ran alone.</summary>
    public static JobFailure WorkerLost(int lostStarts, int lostAlone) =>
        new(
            FailureCodes.WorkerLost,
            $"Each time the job was started ({lostStarts}) its worker was lost, also each time that nothing else ran beside it "
                + $"({lostAlone}); it is given up.",
            Retryable: false
        );

    /// <summary>The engine failed on it, again and again.</summary>
    public static JobFailure EngineError(Exception exception) => new(FailureCodes.EngineError, exception.Message, Retryable: true);

    /// <summary>
    /// Something failed that should not. The message of the exception is not for the submitter: nobody knows what is in it.
    /// </summary>
    public static JobFailure InternalError(Exception exception) =>
        new(
            FailureCodes.InternalError,
            $"The worker failed on the job with {exception.GetType().Name}; its log says more. Sending the job again may help.",
            Retryable: true
        );

    /// <summary>
    /// Whether an operator may want to send the job again, so that its message is kept in the error queue; null if not, otherwise why it is
    /// there.
    /// </summary>
    public static string? DeadLetterReasonOf(JobFailure? failure) =>
        failure is { Code: FailureCodes.WorkerLost or FailureCodes.EngineError or FailureCodes.InternalError }
            ? $"{failure.Code}: {failure.Message}"
            : null;
}
