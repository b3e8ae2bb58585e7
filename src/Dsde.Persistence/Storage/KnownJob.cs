using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Storage;

/// <summary>What is looked at of a job's row to claim it; neither its prompt nor its output.</summary>
internal sealed record KnownJob
{
    public required JobState State { get; init; }

    public required byte[]? RequestHash { get; init; }

    public required string? TraceParent { get; init; }

    public required Guid? LeaseToken { get; init; }

    public required DateTimeOffset? LeaseUntil { get; init; }

    public required int Attempt { get; init; }

    public required int LostStarts { get; init; }

    public required int LostAlone { get; init; }

    public required int TokensAtStart { get; init; }

    public required bool IsStarted { get; init; }

    public required bool IsAlone { get; init; }

    public required int Reopenings { get; init; }

    public required bool IsCancelRequested { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset? StartedAt { get; init; }

    /// <summary>A query for the one with an id.</summary>
    public static IQueryable<KnownJob> Find(DsdeDbContext context, Guid jobId) =>
        context
            .Jobs.Where(row => row.JobId == jobId)
            .Select(row => new KnownJob
            {
                State = row.State,
                RequestHash = row.RequestHash,
                TraceParent = row.TraceParent,
                LeaseToken = row.LeaseToken,
                LeaseUntil = row.LeaseUntil,
                Attempt = row.Attempt,
                LostStarts = row.LostStarts,
                LostAlone = row.LostAlone,
                TokensAtStart = row.TokensAtStart,
                IsStarted = row.IsStarted,
                IsAlone = row.IsAlone,
                Reopenings = row.Reopenings,
                IsCancelRequested = row.CancelRequestedAt != null,
                CreatedAt = row.CreatedAt,
                StartedAt = row.StartedAt,
            });

    /// <summary>
    /// The job at its next start. One that is running has been lost by who had it, unless it had not been let into the engine; whether the
    /// start was for nothing the checkpoints tell. It begins outside the engine: what kills a worker at once is not to be confused with
    /// what was claimed at the same moment.
    /// </summary>
    public KnownJob Start(int checkpointedTokens, DateTimeOffset now)
    {
        var (isFurther, isLost) = (checkpointedTokens > TokensAtStart, State == JobState.Running && IsStarted);
        return this with
        {
            LostStarts = isFurther ? 0 : LostStarts + (isLost ? 1 : 0),
            LostAlone = isFurther ? 0 : LostAlone + (isLost && IsAlone ? 1 : 0),
            TokensAtStart = checkpointedTokens,
            IsStarted = false,
            IsAlone = false,
            Attempt = Attempt + 1,
            StartedAt = now,
        };
    }
}
