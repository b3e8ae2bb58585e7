using Dsde.Persistence.Jobs;
using Dsde.Persistence.Storage;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Workers;

/// <summary>Where a database has one process only (SQLite): an earlier process of the same id is gone, and nobody else is there.</summary>
internal sealed class WorkerRegistry(Database database, TimeProvider time) : IWorkerRegistry
{
    private Guid _startId;

    /// <inheritdoc/>
    public async Task<int?> EnterAsync(WorkerDescription worker, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(worker);
        _startId = worker.StartId;
        var now = time.GetStorableNow();
        return await database.RunInTransactionAsync(
            async (context, token) =>
            {
                await context
                    .Workers.Where(row => row.WorkerId == worker.WorkerId && row.EndedAt == null)
                    .ExecuteUpdateAsync(
                        set => set.SetProperty(row => row.EndedAt, row => row.SeenAt).SetProperty(row => row.Ending, "lost"),
                        token
                    );
                context.Workers.Add(
                    new Entities.WorkerRow
                    {
                        WorkerStartId = worker.StartId,
                        WorkerId = worker.WorkerId,
                        StartedAt = now,
                        SeenAt = now,
                        Host = worker.Host,
                        Version = worker.Version,
                        Models = [.. worker.Models],
                        TargetModel = worker.TargetModel,
                        DraftModel = worker.DraftModel,
                        Policy = worker.Policy,
                        Device = worker.Device,
                        DataType = worker.DataType,
                        Threads = worker.Threads,
                        Kernels = worker.Kernels,
                        BatchSize = worker.BatchSize,
                        CostProfile = worker.CostProfile,
                    }
                );
                await context.SaveChangesAsync(token);
                return (int?)
                    await context
                        .Jobs.Where(job => job.State == JobState.Running && job.WorkerId == worker.WorkerId && job.LeaseUntil > now)
                        .ExecuteUpdateAsync(set => set.SetProperty(job => job.LeaseUntil, now), token);
            },
            cancellationToken
        );
    }

    /// <inheritdoc/>
    public Task BeatAsync(int heldJobs, int waitingForClaim, CancellationToken cancellationToken)
    {
        var now = time.GetStorableNow();
        return database.RunAsync(
            (context, token) =>
                context
                    .Workers.Where(row => row.WorkerStartId == _startId)
                    .ExecuteUpdateAsync(
                        set =>
                            set.SetProperty(row => row.SeenAt, now)
                                .SetProperty(row => row.HeldJobs, heldJobs)
                                .SetProperty(row => row.WaitingForClaim, waitingForClaim),
                        token
                    ),
            cancellationToken
        );
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<DeadWorker>> BuryDeadAsync(CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<DeadWorker>>([]);

    /// <inheritdoc/>
    public Task LeaveAsync(CancellationToken cancellationToken)
    {
        DateTimeOffset? now = time.GetStorableNow();
        return database.RunAsync(
            (context, token) =>
                context
                    .Workers.Where(row => row.WorkerStartId == _startId)
                    .ExecuteUpdateAsync(
                        set =>
                            set.SetProperty(row => row.EndedAt, now)
                                .SetProperty(row => row.Ending, "left")
                                .SetProperty(row => row.HeldJobs, 0)
                                .SetProperty(row => row.WaitingForClaim, 0),
                        token
                    ),
            cancellationToken
        );
    }
}
