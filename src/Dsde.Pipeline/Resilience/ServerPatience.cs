using Dsde.Pipeline.Telemetry;
using Polly;
using Polly.Retry;

namespace Dsde.Pipeline.Resilience;

/// <summary>
/// Waits while a server is away, for as long as that takes unless there is a limit, and tells once that it went and once that it is back.
/// A worker that waits keeps its message, which keeps further jobs in the broker; nothing is lost and nothing is retried to death.
/// </summary>
internal abstract class ServerPatience
{
    /// <summary>About the time before the second try; the pauses double from there, with jitter.</summary>
    public static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);

    /// <summary>No pause is longer, so that work goes on soon after the server is back.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(3);

    private readonly TimeProvider _time;
    private readonly TimeSpan? _limit;
    private readonly ResiliencePipeline _pipeline;

    /// <param name="time">The clock.</param>
    /// <param name="tellAway">Logs that the server is away, with the reason.</param>
    /// <param name="tellBack">Logs that it is back, with the seconds that it was away.</param>
    /// <param name="limit">How long one absence may take; null for as long as it takes.</param>
    protected ServerPatience(TimeProvider time, Action<string> tellAway, Action<double> tellBack, TimeSpan? limit = null)
    {
        _time = time;
        _limit = limit;
        Outage = new Outage(time, tellAway, away => tellBack(away.TotalSeconds));
        _pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(
                new RetryStrategyOptions
                {
                    ShouldHandle = arguments =>
                        ValueTask.FromResult(arguments.Outcome.Exception is { } exception && IsWorthWaiting(exception)),
                    MaxRetryAttempts = int.MaxValue,
                    BackoffType = DelayBackoffType.Exponential,
                    UseJitter = true,
                    Delay = FirstPause,
                    MaxDelay = LongestPause,
                }
            )
            .Build();
    }

    /// <summary>What is known of the server.</summary>
    public Outage Outage { get; }

    /// <summary>Whether the server has been away for longer than the limit.</summary>
    public bool IsOver => Outage.AwayFor >= _limit;

    /// <summary>Whether the server has answered at least once.</summary>
    public bool HasAnswered { get; private set; }

    /// <summary>
    /// Does the work, again and again until the server answers; at least once, even if nobody would wait. <paramref name="until"/>: ends
    /// the waiting, not the work.
    /// </summary>
    public async Task<T> RunAsync<T>(Func<Task<T>> work, CancellationToken until)
    {
        try
        {
            return await TryAsync(work);
        }
        catch (Exception exception) when (IsWorthWaiting(exception))
        {
            return await _pipeline.ExecuteAsync(async _ => await TryAsync(work), until);
        }
    }

    /// <summary>The same for work without a result.</summary>
    public Task RunAsync(Func<Task> work, CancellationToken until) =>
        RunAsync(
            async () =>
            {
                await work();
                return true;
            },
            until
        );

    /// <summary>Asks what is wrong with the server, again and again until nothing is.</summary>
    /// <param name="findFault">What is wrong, for people; null if nothing is.</param>
    /// <param name="explain">Given every fault that was found.</param>
    /// <param name="until">Ends the waiting.</param>
    public Task WaitUntilSoundAsync(Func<Task<string?>> findFault, Action<string> explain, CancellationToken until) =>
        RunAsync(
            async () =>
            {
                if (await findFault() is { } fault)
                {
                    explain(fault);
                    throw new FaultFoundException(fault);
                }
            },
            until
        );

    /// <summary>Does the work once, and notes whether the server answers. What is thrown goes on to the caller.</summary>
    public async Task<T> TryAsync<T>(Func<Task<T>> work)
    {
        var asked = _time.GetTimestamp();
        try
        {
            var result = await work();
            HasAnswered = true;
            Outage.Back(asked);
            return result;
        }
        catch (Exception exception) when (MayPass(exception) && IsOutage(exception))
        {
            Outage.Away(exception.Message);
            throw;
        }
    }

    /// <summary>The same for work without a result.</summary>
    public Task TryAsync(Func<Task> work) =>
        TryAsync(async () =>
        {
            await work();
            return true;
        });

    /// <summary>Does the work once, and notes whether the server answers.</summary>
    /// <returns>Nothing if the server is away and the limit not yet reached.</returns>
    public async Task<T?> PeekAsync<T>(Func<Task<T?>> work)
    {
        try
        {
            return await TryAsync(work);
        }
        catch (Exception exception) when (IsWorthWaiting(exception))
        {
            return default;
        }
    }

    /// <summary>Whether the same work may succeed later.</summary>
    protected abstract bool IsPassing(Exception exception);

    /// <summary>Whether what passes says that the server is away.</summary>
    protected virtual bool IsOutage(Exception exception) => true;

    private bool MayPass(Exception exception) => exception is FaultFoundException || IsPassing(exception);

    private bool IsWorthWaiting(Exception exception) => MayPass(exception) && !IsOver;

    private sealed class FaultFoundException(string fault) : Exception(fault);
}
