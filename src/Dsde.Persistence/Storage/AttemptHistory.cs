using Dsde.Persistence.Entities;
using Microsoft.EntityFrameworkCore;

namespace Dsde.Persistence.Storage;

/// <summary>
/// Keeps what a job's row says of its last attempt before another one takes its place there. Within a transaction that has locked the job.
/// </summary>
internal static class AttemptHistory
{
    /// <summary>Its worker gave the job back.</summary>
    public const string HandedBack = "handed_back";

    /// <summary>Its claim ran out: the worker died, or was taken for dead.</summary>
    public const string Lost = "lost";

    /// <summary>It ended the job, and that end was taken back.</summary>
    public const string Failed = "failed";

    /// <summary>Keeps the attempt of a job, if it has had one.</summary>
    /// <param name="context">With a transaction.</param>
    /// <param name="jobs">The job, or none.</param>
    /// <param name="outcome">How it ended.</param>
    /// <param name="now">When, if the row doesn't say: a claim that ran out did so then, and a job that has ended says when.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task KeepAsync(
        DsdeDbContext context,
        IQueryable<GenerationJob> jobs,
        string outcome,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var kept = await jobs.Where(job => job.Attempt > 0)
            .Select(job => new
            {
                job.JobId,
                job.Reopenings,
                job.Attempt,
                job.WorkerId,
                job.WorkerStartId,
                job.StartedAt,
                job.EndedAt,
                job.LeaseUntil,
                job.TokensAtStart,
                job.IsStarted,
                job.FailureCode,
            })
            .SingleOrDefaultAsync(cancellationToken);
        if (kept is null)
        {
            return;
        }

        context.EarlierAttempts.Add(
            new EarlierAttempt
            {
                JobId = kept.JobId,
                Reopenings = kept.Reopenings,
                Attempt = kept.Attempt,
                WorkerId = kept.WorkerId,
                WorkerStartId = kept.WorkerStartId,
                StartedAt = kept.StartedAt,
                EndedAt = kept.EndedAt ?? (outcome == Lost ? kept.LeaseUntil : null) ?? now,
                Outcome = outcome,
                TokensAtStart = kept.TokensAtStart,
                IsStarted = outcome == Failed ? null : kept.IsStarted,
                FailureCode = kept.FailureCode,
            }
        );
        await context.SaveChangesAsync(cancellationToken);
    }
}
