using Dsde.Pipeline.Messaging;

namespace Dsde.Worker.Cli.Clients;

/// <summary>Waits for the end of a batch that was sent, and says when no worker is there for it.</summary>
internal sealed class BatchWatch(BatchClient client, Guid batchId, IReadOnlyCollection<Lane> lanes, TimeProvider time, TextWriter error)
{
    private static readonly TimeSpan DatabaseCheckInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan AttendanceCheckInterval = TimeSpan.FromSeconds(10);

    private long? _attendanceCheckedAt;
    private string _lack = "";

    /// <summary>Whether all jobs have ended, though not all their ends may have been told.</summary>
    public bool IsOver { get; private set; }

    /// <summary>The events tell when all is done; the database is asked as well, for events told before this program listened.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        do
        {
            await CheckAttendanceAsync(cancellationToken);
            if (await client.AskAsync(store => store.FindBatchAsync(batchId, cancellationToken), cancellationToken) is { IsComplete: true })
            {
                IsOver = true;
                return;
            }

            await Task.WhenAny(client.Follower.AllEnded, Task.Delay(DatabaseCheckInterval, time, cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
        } while (!client.Follower.AllEnded.IsCompleted);
    }

    private async Task CheckAttendanceAsync(CancellationToken cancellationToken)
    {
        if (_lack.Length == 0 && _attendanceCheckedAt is { } last && time.GetElapsedTime(last) < AttendanceCheckInterval)
        {
            return;
        }

        var lack = await client.PeekAtLackAsync(lanes, cancellationToken);
        _attendanceCheckedAt = lack is null ? null : time.GetTimestamp(); // a broker that is away is asked again soon
        if (lack is not null && lack != _lack)
        {
            _lack = lack;
            await error.WriteLineAsync($"dsde: {(lack.Length > 0 ? lack : "a worker is attached now")}");
        }
    }
}
