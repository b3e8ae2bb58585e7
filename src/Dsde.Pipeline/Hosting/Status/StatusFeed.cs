using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dsde.Pipeline.Hosting.Status;

/// <summary>
/// The events that the status page lives by: first the last two minutes, then every second what there is. The engine's counters are noted
/// whether somebody looks or not; broker and database are asked only while somebody does.
/// </summary>
/// <param name="status">What there is to say.</param>
/// <param name="lifetime">Of the server: what is open has to end with it.</param>
/// <param name="time">The clock.</param>
internal sealed class StatusFeed(WorkerStatus status, IHostApplicationLifetime lifetime, TimeProvider time) : BackgroundService
{
    /// <summary>Event with the samples of the last minutes, the oldest first.</summary>
    public const string HistoryEvent = "history";

    /// <summary>Event with a <see cref="StatusReport"/>.</summary>
    public const string StatusEvent = "status";

    private const int Kept = 120;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Reconnection = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Queue<StatusSample> _history = new(Kept);

    /// <summary>How events are written.</summary>
    public static JsonSerializerOptions Json { get; } =
        new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <summary>The events, until somebody has seen enough or the server stops.</summary>
    public async IAsyncEnumerable<SseItem<string>> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        yield return Item(HistoryEvent, History()) with
        {
            ReconnectionInterval = Reconnection,
        };
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            if (await TryReportAsync(end.Token) is not { } report)
            {
                yield break;
            }

            yield return Item(StatusEvent, report);
        } while (await TryWaitAsync(timer, end.Token));
    }

    /// <summary>Notes the engine's counters once.</summary>
    public void Note()
    {
        if (status.Sample() is not { } sample)
        {
            return;
        }

        lock (_lock)
        {
            while (_history.Count >= Kept)
            {
                _history.Dequeue();
            }

            _history.Enqueue(sample);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            Note();
        }
    }

    private StatusSample[] History()
    {
        lock (_lock)
        {
            return [.. _history];
        }
    }

    private async Task<StatusReport?> TryReportAsync(CancellationToken end)
    {
        try
        {
            return await status.ReportAsync(end);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            return null;
        }
    }

    private static async Task<bool> TryWaitAsync(PeriodicTimer timer, CancellationToken end)
    {
        try
        {
            return await timer.WaitForNextTickAsync(end);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static SseItem<string> Item<T>(string type, T data) => new(JsonSerializer.Serialize(data, Json), type);
}
