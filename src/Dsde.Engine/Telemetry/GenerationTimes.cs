using System.Text.Json.Serialization;

namespace Dsde.Engine.Telemetry;

/// <summary>
/// Where a request's time went, in milliseconds. Its parts (all up to <see cref="RestMs"/>) add up to <see cref="TotalMs"/>. Passes are
/// shared: each part is the duration of the whole batch's pass, which every request in it has waited for. The shares are what of these is
/// the request's own, by rows: over all requests they add up to the time of the machine.
/// </summary>
public readonly record struct GenerationTimes
{
    /// <summary>From arrival until a slot was free, and again after each time it was lost.</summary>
    public double WaitingMs { get; init; }

    /// <summary>Passes over the prompt, or over what it goes on from.</summary>
    public double PrefillMs { get; init; }

    /// <summary>Passes over the prompts of others, and iterations of others, while the request had a slot and no part in them.</summary>
    public double OthersMs { get; init; }

    /// <summary>Draft passes.</summary>
    public double DraftMs { get; init; }

    /// <summary>Target passes after the prompt's.</summary>
    public double VerifyMs { get; init; }

    /// <summary>Everything else of its iterations: staging, acceptance, measurement, transfer and policy.</summary>
    public double SamplingMs { get; init; }

    /// <summary>From arrival to the end.</summary>
    public double TotalMs { get; init; }

    /// <summary>From arrival to the first token; null if there is none.</summary>
    public double? FirstTokenMs { get; init; }

    /// <summary>Its part of <see cref="PrefillMs"/>.</summary>
    public double PrefillShareMs { get; init; }

    /// <summary>Its part of <see cref="DraftMs"/>.</summary>
    public double DraftShareMs { get; init; }

    /// <summary>Its part of <see cref="VerifyMs"/>.</summary>
    public double VerifyShareMs { get; init; }

    /// <summary>Its part of <see cref="SamplingMs"/>.</summary>
    public double SamplingShareMs { get; init; }

    /// <summary>Between passes and iterations: planning lengths and rounds, admissions, checkpoints, the result.</summary>
    [JsonIgnore]
    public double RestMs => Math.Max(0, TotalMs - WaitingMs - PrefillMs - OthersMs - DraftMs - VerifyMs - SamplingMs);
}
