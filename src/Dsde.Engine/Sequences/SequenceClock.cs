using Dsde.Engine.Telemetry;

namespace Dsde.Engine.Sequences;

/// <summary>Adds up where a sequence's time goes.</summary>
/// <param name="time">The clock.</param>
/// <param name="earlier">What an earlier run of the same request took.</param>
internal sealed class SequenceClock(TimeProvider time, GenerationTimes earlier = default)
{
    private long _waitingSince = time.GetTimestamp();
    private double _waitingMs,
        _prefillMs,
        _draftMs,
        _verifyMs,
        _samplingMs;

    /// <summary>When the request came, as a timestamp of the clock.</summary>
    public long Arrival { get; } = time.GetTimestamp();

    /// <summary>The sequence has got its slot.</summary>
    public void Admitted() => _waitingMs += time.GetElapsedTime(_waitingSince).TotalMilliseconds;

    /// <summary>The sequence has lost its slot and waits again.</summary>
    public void PutBack() => _waitingSince = time.GetTimestamp();

    /// <summary>A pass over part of the prompt took this long.</summary>
    public void AddPrefill(double milliseconds) => _prefillMs += milliseconds;

    /// <summary>The parts of an iteration took this long.</summary>
    public void AddIteration(double draftMs, double verifyMs, double samplingMs)
    {
        _draftMs += draftMs;
        _verifyMs += verifyMs;
        _samplingMs += samplingMs;
    }

    /// <summary>The sums, and the time since arrival.</summary>
    public GenerationTimes Read() =>
        new(
            earlier.WaitingMs + _waitingMs,
            earlier.PrefillMs + _prefillMs,
            earlier.DraftMs + _draftMs,
            earlier.VerifyMs + _verifyMs,
            earlier.SamplingMs + _samplingMs,
            earlier.TotalMs + time.GetElapsedTime(Arrival).TotalMilliseconds
        );
}
