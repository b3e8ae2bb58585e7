namespace Dsde.Persistence.Workers;

/// <summary>
/// Who is there. A worker enters, says now and then that it is still there, and leaves. One that has died is found out at once where the
/// database can tell: its process holds a lock that goes with its connection. Its claims are void from then on, so that its jobs need not
/// wait for their leases. Where the database can't tell (SQLite, a machine that lost its power), the leases run out by themselves.
/// </summary>
public interface IWorkerRegistry
{
    /// <summary>
    /// Notes that a worker is there. Claims of an earlier process of the same id are void, unless that process still lives.
    /// </summary>
    /// <returns>How many claims were made void; null if another living process goes by this id.</returns>
    /// <exception cref="DatabaseUnavailableException">The database can't be reached.</exception>
    Task<int?> EnterAsync(WorkerDescription worker, CancellationToken cancellationToken);

    /// <summary>Says that the worker is still there.</summary>
    /// <param name="heldJobs">Jobs it has claimed.</param>
    /// <param name="waitingForClaim">Messages in the broker whose jobs wait for another worker's claim, as far as it knows.</param>
    /// <param name="cancellationToken">To give up.</param>
    /// <exception cref="DatabaseUnavailableException">The database can't be reached.</exception>
    Task BeatAsync(int heldJobs, int waitingForClaim, CancellationToken cancellationToken);

    /// <summary>
    /// Looks for workers that have died, and makes their claims void. To be called about once a second; among many workers most calls leave
    /// it to the others.
    /// </summary>
    /// <returns>The dead, with the number of their claims; each is named by one caller.</returns>
    /// <exception cref="DatabaseUnavailableException">The database can't be reached.</exception>
    Task<IReadOnlyList<DeadWorker>> BuryDeadAsync(CancellationToken cancellationToken);

    /// <summary>Notes that the worker is going, and has handed back what it held.</summary>
    Task LeaveAsync(CancellationToken cancellationToken);
}

/// <summary>A worker that went without a word.</summary>
/// <param name="WorkerId">Who it was.</param>
/// <param name="ClaimCount">Jobs that it held.</param>
public sealed record DeadWorker(string WorkerId, int ClaimCount);
