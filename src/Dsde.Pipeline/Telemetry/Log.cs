namespace Dsde.Pipeline.Telemetry;

/// <summary>Everything the worker logs. Event ids 2000 to 2999. Never the text of a prompt or an output.</summary>
internal static partial class Log
{
    [LoggerMessage(
        2000,
        LogLevel.Warning,
        "The claim on job {JobId} was lost while it was held; its work is dropped and the job looked at again"
    )]
    public static partial void ClaimLost(this ILogger logger, Guid jobId);

    [LoggerMessage(2001, LogLevel.Warning, "The engine failed on job {JobId}; retry {Retry}")]
    public static partial void EngineRetried(this ILogger logger, Guid jobId, int retry, Exception? exception);

    [LoggerMessage(2002, LogLevel.Warning, "{Reason} Waiting; jobs stay in the broker")]
    public static partial void DatabaseAway(this ILogger logger, string reason);

    [LoggerMessage(2003, LogLevel.Information, "Stopping: what runs ({Count}) has {Seconds} s to end, and is handed back then")]
    public static partial void Draining(this ILogger logger, int count, int seconds);

    [LoggerMessage(
        2004,
        LogLevel.Information,
        "Worker {WorkerId} takes jobs for {Models}, {Capacity} at a time, from {Broker} into {Database}; the model is {Target}"
    )]
    public static partial void WorkerReady(
        this ILogger logger,
        string workerId,
        string models,
        int capacity,
        string broker,
        string database,
        string target
    );

    [LoggerMessage(2030, LogLevel.Information, "The database is back after {Seconds:F1} s")]
    public static partial void DatabaseBack(this ILogger logger, double seconds);

    [LoggerMessage(2031, LogLevel.Information, "Health and metrics at {Address}")]
    public static partial void HealthListens(this ILogger logger, string address);

    [LoggerMessage(2034, LogLevel.Information, "Status page at {Address}")]
    public static partial void StatusPageServed(this ILogger logger, string address);

    [LoggerMessage(
        2032,
        LogLevel.Critical,
        "The engine hangs with {Running} sequences running and {Waiting} waiting: nothing has moved for {Seconds:F0} s. "
            + "Its jobs are left to other workers, and this one ends"
    )]
    public static partial void EngineHangs(this ILogger logger, int running, int waiting, double seconds);

    [LoggerMessage(2033, LogLevel.Critical, "Something failed that was not foreseen; the program ends")]
    public static partial void Unforeseen(this ILogger logger, Exception exception);

    [LoggerMessage(2005, LogLevel.Warning, "A message of {Bytes} bytes in {Queue} is no job and was moved to the error queue: {Reason}")]
    public static partial void MessageMoved(this ILogger logger, string queue, long bytes, string reason);

    [LoggerMessage(2006, LogLevel.Warning, "A {Command} is not obeyed: {Reason}")]
    public static partial void CommandRefused(this ILogger logger, string command, string reason);

    [LoggerMessage(2010, LogLevel.Error, "The worker failed on job {JobId}, which it should not; the job ends as failed")]
    public static partial void JobFaulted(this ILogger logger, Guid jobId, Exception exception);

    [LoggerMessage(2011, LogLevel.Error, "The end of job {JobId} can't be stored; the job ends as failed")]
    public static partial void EndRefused(this ILogger logger, Guid jobId, Exception exception);

    [LoggerMessage(
        2012,
        LogLevel.Warning,
        "Job {JobId} was lost too often (starts: {LostStarts}); jobs that may run while it does, itself included: {MostInside}"
    )]
    public static partial void RunsBesideFew(this ILogger logger, Guid jobId, int lostStarts, int mostInside);

    [LoggerMessage(2013, LogLevel.Warning, "A checkpoint of job {JobId} was not saved; the next one may be")]
    public static partial void CheckpointNotSaved(this ILogger logger, Guid jobId, Exception exception);

    [LoggerMessage(2014, LogLevel.Warning, "The checkpoint of output {Choice} of job {JobId} can't be read; the output begins again")]
    public static partial void CheckpointUnreadable(this ILogger logger, Guid jobId, int choice);

    [LoggerMessage(
        2015,
        LogLevel.Warning,
        "The checkpoint of output {Choice} of job {JobId} is refused by the engine, and the output begins again: {Reason}"
    )]
    public static partial void CheckpointRefused(this ILogger logger, Guid jobId, int choice, string reason);

    [LoggerMessage(2016, LogLevel.Error, "Leases were not renewed; trying again in a third of their time")]
    public static partial void LeasesNotRenewed(this ILogger logger, Exception exception);

    [LoggerMessage(
        2017,
        LogLevel.Warning,
        "Output {Choice} of job {JobId} came out differently when it was worked through again for its trace, which goes without"
    )]
    public static partial void SurveyDiffers(this ILogger logger, Guid jobId, int choice);

    [LoggerMessage(
        2018,
        LogLevel.Warning,
        "Output {Choice} of job {JobId} could not be worked through again for its trace, which goes without: {Reason}"
    )]
    public static partial void SurveyFailed(this ILogger logger, Guid jobId, int choice, string reason);

    [LoggerMessage(2020, LogLevel.Information, "Job {JobId} is another worker's; its message waits until that claim ends or runs out")]
    public static partial void JobHeldElsewhere(this ILogger logger, Guid jobId);

    [LoggerMessage(2021, LogLevel.Warning, "The message of job {JobId}, which is another worker's, could not be put away: {Reason}")]
    public static partial void MessageNotPutAway(this ILogger logger, Guid jobId, string reason);

    [LoggerMessage(2022, LogLevel.Warning, "Worker {WorkerId} has died; what it held is free (jobs: {Count})")]
    public static partial void WorkerBuried(this ILogger logger, string workerId, int count);

    [LoggerMessage(2023, LogLevel.Information, "What an earlier process of worker {WorkerId} held is free (jobs: {Count})")]
    public static partial void ClaimsTakenBack(this ILogger logger, string workerId, int count);

    [LoggerMessage(
        2024,
        LogLevel.Warning,
        "Another living worker goes by the id {WorkerId}. Give each an id of its own (Dsde:Worker:WorkerId), or none"
    )]
    public static partial void WorkerIdTaken(this ILogger logger, string workerId);

    [LoggerMessage(2025, LogLevel.Error, "The worker could not say that it is there; trying again")]
    public static partial void PresenceFailed(this ILogger logger, Exception exception);

    [LoggerMessage(2026, LogLevel.Error, "The database could not be prepared for the months to come; trying again later")]
    public static partial void UpkeepFailed(this ILogger logger, Exception exception);

    [LoggerMessage(2050, LogLevel.Warning, "{Reason} Waiting for the broker")]
    public static partial void BrokerAway(this ILogger logger, string reason);

    [LoggerMessage(2051, LogLevel.Information, "The broker is back after {Seconds:F1} s")]
    public static partial void BrokerBack(this ILogger logger, double seconds);

    [LoggerMessage(2052, LogLevel.Warning, "{Queue} has lost its consumer and did not get it back; its endpoint is restarted: {Reason}")]
    public static partial void EndpointRestarted(this ILogger logger, string queue, string reason);

    [LoggerMessage(
        2053,
        LogLevel.Error,
        "{Queue} has lost its consumer, and {Restarts} restarts of its endpoint were in vain; the worker ends, to be started again"
    )]
    public static partial void EndpointGivenUp(this ILogger logger, string queue, int restarts);

    [LoggerMessage(
        2054,
        LogLevel.Warning,
        "The broker takes messages of at most {Limit} bytes and closed a channel for one that has more, while {Type} of {Bytes} "
            + "bytes was published"
    )]
    public static partial void EventRefused(this ILogger logger, string type, long bytes, long limit);

    [LoggerMessage(2055, LogLevel.Warning, "{Queue} has lost its consumer: {Reason}")]
    public static partial void EndpointDetached(this ILogger logger, string queue, string reason);

    [LoggerMessage(2056, LogLevel.Information, "{Queue} has its consumer back after {Seconds:F1} s")]
    public static partial void EndpointAttached(this ILogger logger, string queue, double seconds);

    [LoggerMessage(
        2100,
        LogLevel.Information,
        "Job {JobId} {Outcome}: {Tokens} tokens, {Acceptance:P0} of {Proposed} drafts accepted, {Milliseconds:F0} ms in the engine, "
            + "attempt {Attempt}"
    )]
    public static partial void JobEnded(
        this ILogger logger,
        Guid jobId,
        string outcome,
        int tokens,
        double acceptance,
        int proposed,
        double milliseconds,
        int attempt
    );

    [LoggerMessage(
        2101,
        LogLevel.Information,
        "Job {JobId} is taken over in attempt {Attempt}, from {Tokens} saved tokens; starts lost without getting further: {LostStarts}"
    )]
    public static partial void JobTakenOver(this ILogger logger, Guid jobId, int attempt, int tokens, int lostStarts);

    [LoggerMessage(2102, LogLevel.Warning, "Job {JobId} was refused: its id stands for another request")]
    public static partial void JobConflicts(this ILogger logger, Guid jobId);

    [LoggerMessage(2103, LogLevel.Information, "Job {JobId} is to be cancelled")]
    public static partial void JobCancelled(this ILogger logger, Guid jobId);

    [LoggerMessage(2104, LogLevel.Information, "Batch {BatchId} is to be cancelled")]
    public static partial void BatchCancelled(this ILogger logger, Guid batchId);

    [LoggerMessage(2110, LogLevel.Warning, "Jobs are parked that ask for {Model}, which no worker has served")]
    public static partial void JobsParked(this ILogger logger, string model);

    [LoggerMessage(2111, LogLevel.Information, "{Count} parked jobs have gone to the queues of {Models}")]
    public static partial void ParkedJobsTakenOut(this ILogger logger, int count, string models);

    [LoggerMessage(2112, LogLevel.Error, "Parked jobs were not looked at; trying again")]
    public static partial void ParkedJobsNotLookedAt(this ILogger logger, Exception exception);

    [LoggerMessage(2113, LogLevel.Information, "{Count} jobs were moved out of {Queue}, which was used before models had queues")]
    public static partial void EarlierQueueDrained(this ILogger logger, int count, string queue);

    [LoggerMessage(2114, LogLevel.Error, "The queues that were used before models had queues were not drained; trying again")]
    public static partial void EarlierQueuesNotDrained(this ILogger logger, Exception exception);
}
