using Dsde.Engine.Telemetry;

namespace Dsde.Engine.Sequences;

/// <summary>Adds up where a sequence's time goes.</summary>
/// <param name="time">The clock.</param>
/// <param name="earlier">What an earlier run of the same request took.</param>
internal sealed class SequenceClock(TimeProvider time, GenerationTimes earlier = default)
{
    private GenerationTimes _times = earlier;
    private long? _waitingSince = time.GetTimestamp();

    /// <summary>When the request came, as a timestamp of the clock.</summary>
    public long Arrival { get; } = time.GetTimestamp();

    private double WaitingMs => _waitingSince is { } since ? time.GetElapsedTime(since).TotalMilliseconds : 0;

    private double TotalMs => _times.TotalMs + time.GetElapsedTime(Arrival).TotalMilliseconds;

    /// <summary>The sequence has got its slot.</summary>
    public void Admitted()
    {
        _times = _times with { WaitingMs = _times.WaitingMs + WaitingMs };
        _waitingSince = null;
    }

    /// <summary>The sequence has lost its slot and waits again.</summary>
    public void PutBack() => _waitingSince = time.GetTimestamp();

    /// <summary>The sequence has got its first token.</summary>
    public void BeginText() => _times = _times with { FirstTokenMs = _times.FirstTokenMs ?? TotalMs };

    /// <summary>A pass over part of the prompt took this long. <paramref name="share"/>: its rows of the pass's, 0 to 1.</summary>
    public void AddPrefill(double milliseconds, double share) =>
        _times = _times with
        {
            PrefillMs = _times.PrefillMs + milliseconds,
            PrefillShareMs = _times.PrefillShareMs + (share * milliseconds),
        };

    /// <summary>A pass or an iteration of others took this long, and the sequence had to wait for it in its slot.</summary>
    public void AddOthers(double milliseconds) => _times = _times with { OthersMs = _times.OthersMs + milliseconds };

    /// <summary>The parts of an iteration took this long.</summary>
    /// <param name="draftMs">Its draft passes.</param>
    /// <param name="verifyMs">Its target pass.</param>
    /// <param name="samplingMs">The rest of it.</param>
    /// <param name="draftShare">The sequence's proposals of all, 0 to 1.</param>
    /// <param name="verifyShare">Its rows of the target's pass, 0 to 1.</param>
    public void AddIteration(double draftMs, double verifyMs, double samplingMs, double draftShare, double verifyShare) =>
        _times = _times with
        {
            DraftMs = _times.DraftMs + draftMs,
            VerifyMs = _times.VerifyMs + verifyMs,
            SamplingMs = _times.SamplingMs + samplingMs,
            DraftShareMs = _times.DraftShareMs + (draftShare * draftMs),
            VerifyShareMs = _times.VerifyShareMs + (verifyShare * verifyMs),
            SamplingShareMs = _times.SamplingShareMs + (verifyShare * samplingMs),
        };

    /// <summary>The sums, and the time since arrival.</summary>
    public GenerationTimes Read() => _times with { WaitingMs = _times.WaitingMs + WaitingMs, TotalMs = TotalMs };
}
