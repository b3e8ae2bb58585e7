using Dsde.Engine.Telemetry;

namespace Dsde.Engine.Scheduling;

/// <summary>Adds up where a sequence's time goes.</summary>
internal sealed class SequenceClock(TimeProvider time)
{
    private readonly long _arrival = time.GetTimestamp();
    private double _waitingMs, _prefillMs, _draftMs, _verifyMs, _samplingMs;

    /// <summary>The sequence has got its slot.</summary>
    public void Admitted() => _waitingMs = time.GetElapsedTime(_arrival).TotalMilliseconds;

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
        new(_waitingMs, _prefillMs, _draftMs, _verifyMs, _samplingMs, time.GetElapsedTime(_arrival).TotalMilliseconds);
}
