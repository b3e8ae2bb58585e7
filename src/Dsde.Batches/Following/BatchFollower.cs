using Dsde.Batches.Reporting;
using Dsde.Contracts;

namespace Dsde.Batches.Following;

/// <summary>Sees the ends of one batch's jobs go by and keeps count, each job once however often its event is told.</summary>
internal sealed class BatchFollower(Guid batchId, RunTally tally) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly HashSet<Guid> _seen = [];
    private readonly SemaphoreSlim _ends = new(0);
    private readonly TaskCompletionSource _allEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int? _expected;

    /// <summary>Called with every job that has ended, once, before its end counts.</summary>
    public event Action<Guid>? JobEnded;

    /// <summary>One release per job that ended; whoever feeds jobs waits here for room.</summary>
    public SemaphoreSlim Ends => _ends;

    /// <summary>Ends when all expected jobs have.</summary>
    public Task AllEnded => _allEnded.Task;

    /// <summary>Says how many ends to expect.</summary>
    /// <param name="jobCount">All jobs of the batch.</param>
    /// <param name="endedBefore">Those of them that have ended already, whose ends are only told again; null for none.</param>
    public void Expect(int jobCount, IReadOnlySet<Guid>? endedBefore = null)
    {
        lock (_lock)
        {
            _expected = jobCount;
            tally.AddEndedBefore(endedBefore?.Count(_seen.Add) ?? 0);
            CompleteIfAllEnded();
        }
    }

    /// <summary>Takes in an event.</summary>
    public void See(object jobEvent)
    {
        var (job, batch) = jobEvent switch
        {
            GenerationJobCompleted completed => (completed.JobId, completed.BatchId),
            GenerationJobFailed { Code: FailureCodes.JobIdConflict } => (Guid.Empty, null), // the job of that id has not ended by that
            GenerationJobFailed failed => (failed.JobId, failed.BatchId),
            GenerationJobCancelled cancelled => (cancelled.JobId, cancelled.BatchId),
            _ => (Guid.Empty, null),
        };
        if (batch != batchId)
        {
            return;
        }

        lock (_lock)
        {
            if (_seen.Add(job))
            {
                tally.Add(jobEvent);
                JobEnded?.Invoke(job);
                _ends.Release();
                CompleteIfAllEnded();
            }
        }
    }

    public void Dispose() => _ends.Dispose();

    private void CompleteIfAllEnded()
    {
        if (_seen.Count >= _expected)
        {
            _allEnded.TrySetResult();
        }
    }
}
