using System.Threading.Channels;
using Dsde.Persistence.Entities;
using Dsde.Persistence.Jobs;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Query;

namespace Dsde.Persistence.Storage;

/// <summary>
/// Group commit: ends that arrive while a transaction is being written share the next one. A group that fails is written one by one, so that a bad
/// end fails alone.
/// </summary>
internal sealed class EndWriter : IAsyncDisposable
{
    private const int LargestGroup = 256;

    private readonly Channel<Pending> _pending = Channel.CreateUnbounded<Pending>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Database _database;
    private readonly TimeProvider _time;
    private readonly Task _loop;

    public EndWriter(Database database, TimeProvider time)
    {
        _database = database;
        _time = time;
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Returns when the end is committed, false if the claim was lost. Once begun it is not given up: the caller may stop waiting.</summary>
    public Task<bool> WriteAsync(JobEnd end, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var pending = new Pending(end);
        return _pending.Writer.TryWrite(pending)
            ? pending.Done.Task.WaitAsync(cancellationToken)
            : throw new ObjectDisposedException(nameof(EndWriter));
    }

    /// <summary>Writes what is left.</summary>
    public async ValueTask DisposeAsync()
    {
        _pending.Writer.TryComplete();
        await _loop;
    }

    private async Task RunAsync()
    {
        var group = new List<Pending>();
        while (await _pending.Reader.WaitToReadAsync())
        {
            while (group.Count < LargestGroup && _pending.Reader.TryRead(out var pending))
            {
                group.Add(pending);
            }

            if (!await TryWriteAsync(group) && group.Count > 1)
            {
                foreach (var pending in group)
                {
                    await TryWriteAsync([pending]);
                }
            }

            group.Clear();
        }
    }

    private async Task<bool> TryWriteAsync(IReadOnlyList<Pending> group)
    {
        try
        {
            var written = await _database.RunAsync((context, token) => WriteGroupAsync(context, group, token), CancellationToken.None);
            foreach (var (pending, isWritten) in group.Zip(written))
            {
                pending.Done.TrySetResult(isWritten);
            }

            return true;
        }
        catch (Exception exception)
        {
            if (group.Count == 1 || exception is DatabaseUnavailableException)
            {
                foreach (var pending in group)
                {
                    pending.Done.TrySetException(exception);
                }

                return true;
            }

            return false;
        }
    }

    private async Task<IReadOnlyList<bool>> WriteGroupAsync(DsdeDbContext context, IReadOnlyList<Pending> group, CancellationToken cancellationToken)
    {
        await using var transaction = await context.Database.BeginTransactionAsync(cancellationToken);
        var now = _time.GetUtcNow();
        var written = new bool[group.Count];
        var traces = new List<JobTraceRow>();
        for (var i = 0; i < group.Count; i++)
        {
            var end = group[i].End;
            var worker = await context.Jobs.Where(job => job.JobId == end.JobId).Select(job => job.WorkerId).FirstOrDefaultAsync(cancellationToken);
            written[i] = await UpdateJobAsync(context, end, now, cancellationToken) == 1;
            if (written[i])
            {
                context.Choices.AddRange(JobMapping.ToChoices(end));
                traces.AddRange(end.Traces.Select((trace, choice) => TraceMapping.ToRow(end.JobId, choice, trace, worker ?? "", now)).Where(trace => trace.CompletionTokens > 0));
            }
        }

        await context.SaveChangesAsync(cancellationToken);
        await TraceWriter.WriteAsync(context, traces, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return written;
    }

    /// <summary>
    /// Only the holder of the claim writes, and once. Who cancels a job that runs elsewhere does so in the database first: its worker still adds what
    /// there is, under the moment and the reason of the cancellation.
    /// </summary>
    private static Task<int> UpdateJobAsync(DsdeDbContext context, JobEnd end, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var held = context.Jobs.Where(job => job.JobId == end.JobId && job.LeaseToken == end.LeaseToken);
        held = end is CancelledJobEnd
            ? held.Where(job => job.State == JobState.Running || (job.State == JobState.Cancelled && job.Text == null))
            : held.Where(job => job.State == JobState.Running);
        return held.ExecuteUpdateAsync(
            set =>
            {
                set.SetProperty(job => job.EndedAt, job => job.EndedAt ?? now).SetProperty(job => job.LeaseUntil, (DateTimeOffset?)null);
                SetEnd(set, end);
                if (end.Outputs is [var output, ..])
                {
                    SetOutput(set, output);
                }
            },
            cancellationToken);
    }

    private static void SetEnd(UpdateSettersBuilder<GenerationJob> set, JobEnd end) => _ = end switch
    {
        CompletedJobEnd => set.SetProperty(job => job.State, JobState.Completed),
        FailedJobEnd { Failure: var failure } => set.SetProperty(job => job.State, JobState.Failed).SetProperty(job => job.FailureCode, failure.Code)
            .SetProperty(job => job.FailureMessage, failure.Message).SetProperty(job => job.FailureRetryable, failure.Retryable),
        CancelledJobEnd { Reason: var reason } => set.SetProperty(job => job.State, JobState.Cancelled).SetProperty(job => job.CancelReason, job => job.CancelReason ?? reason),
        _ => throw new ArgumentException($"An end of type {end.GetType().Name} is not known.", nameof(end)),
    };

    private static void SetOutput(UpdateSettersBuilder<GenerationJob> set, JobOutput output) => set
        .SetProperty(job => job.Text, output.Text).SetProperty(job => job.FinishReason, output.FinishReason)
        .SetProperty(job => job.PromptTokens, output.PromptTokens).SetProperty(job => job.CompletionTokens, output.CompletionTokens)
        .SetProperty(job => job.TokenIds, output.TokenIds).SetProperty(job => job.PromptTokenIds, output.PromptTokenIds)
        .SetProperty(job => job.TokenLogProbabilities, output.TokenLogProbabilities)
        .SetProperty(job => job.TopTokenIds, output.TopTokenIds).SetProperty(job => job.TopLogProbabilities, output.TopLogProbabilities);

    private sealed record Pending(JobEnd End)
    {
        public TaskCompletionSource<bool> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
