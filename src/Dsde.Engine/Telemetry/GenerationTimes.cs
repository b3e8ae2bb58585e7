namespace Dsde.Engine.Telemetry;

/// <summary>Where a request's time went, in milliseconds. Passes are shared: each is the duration of the whole batch's pass.</summary>
/// <param name="WaitingMs">From arrival until a slot was free.</param>
/// <param name="PrefillMs">Passes over the prompt.</param>
/// <param name="DraftMs">Draft passes.</param>
/// <param name="VerifyMs">Target passes after the prompt's.</param>
/// <param name="SamplingMs">Acceptance, measurement, transfer and policy.</param>
/// <param name="TotalMs">From arrival to the end.</param>
public readonly record struct GenerationTimes(
    double WaitingMs,
    double PrefillMs,
    double DraftMs,
    double VerifyMs,
    double SamplingMs,
    double TotalMs
);
