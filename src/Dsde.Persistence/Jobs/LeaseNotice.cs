namespace Dsde.Persistence.Jobs;

/// <summary>What a worker has to know of a job it holds, learned when it renewed the lease.</summary>
/// <param name="JobId">The job.</param>
/// <param name="Kind">What happened.</param>
public readonly record struct LeaseNotice(Guid JobId, LeaseNoticeKind Kind);

/// <summary>What can happen to a job that is held.</summary>
public enum LeaseNoticeKind
{
    /// <summary>It is no longer the worker's; its work is for nothing.</summary>
    Lost,

    /// <summary>It, or its batch, is to be cancelled.</summary>
    CancelRequested,
}
