namespace Dsde.Worker.Telemetry;

/// <summary>Everything the worker logs. Event ids 2000 to 2999. Never the text of a prompt or an output.</summary>
internal static partial class Log
{
    [LoggerMessage(2000, LogLevel.Warning, "The claim on job {JobId} was lost while it ran; its result is dropped and the job looked at again")]
    public static partial void ClaimLost(this ILogger logger, Guid jobId);

    [LoggerMessage(2001, LogLevel.Warning, "The engine failed on job {JobId}; retry {Retry}")]
    public static partial void EngineRetried(this ILogger logger, Guid jobId, int retry, Exception exception);

    [LoggerMessage(2002, LogLevel.Warning, "{Reason} Waiting; jobs stay in the broker")]
    public static partial void DatabaseAway(this ILogger logger, string reason);

    [LoggerMessage(2003, LogLevel.Information, "Stopping: {Count} jobs run, with {Seconds} s to end before they are handed back")]
    public static partial void Draining(this ILogger logger, int count, int seconds);

    [LoggerMessage(2004, LogLevel.Information, "Worker {WorkerId} takes jobs for {Target}, {Capacity} at a time, from {Broker} into {Database}")]
    public static partial void WorkerReady(this ILogger logger, string workerId, string target, int capacity, string broker, string database);

    [LoggerMessage(2005, LogLevel.Warning, "A message of {Bytes} bytes in {Queue} is no job and was moved to the error queue: {Reason}")]
    public static partial void MessageMoved(this ILogger logger, string queue, long bytes, string reason);

    [LoggerMessage(2050, LogLevel.Warning, "{Reason} Waiting for the broker")]
    public static partial void BrokerAway(this ILogger logger, string reason);

    [LoggerMessage(2051, LogLevel.Warning, "{Queue} has no consumer, and there is nothing to connect it to: {Reason}")]
    public static partial void EndpointDetached(this ILogger logger, string queue, string reason);

    [LoggerMessage(2052, LogLevel.Warning, "{Queue} has lost its consumer and did not get it back; its endpoint is restarted: {Reason}")]
    public static partial void EndpointRestarted(this ILogger logger, string queue, string reason);

    [LoggerMessage(2053, LogLevel.Error, "{Queue} has lost its consumer, and {Restarts} restarts of its endpoint were in vain; the worker ends, to be started again")]
    public static partial void EndpointGivenUp(this ILogger logger, string queue, int restarts);
}
