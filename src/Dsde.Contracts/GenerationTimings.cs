namespace Dsde.Contracts;

/// <summary>Where a job's time went, in milliseconds; of several outputs, that of the one that ended last.</summary>
public sealed record GenerationTimings
{
    /// <summary>From admission to the worker until the engine gave it a slot.</summary>
    public required double WaitingMs { get; init; }

    /// <summary>Passes over the prompt, shared with the batch.</summary>
    public required double PrefillMs { get; init; }

    /// <summary>Draft passes of iterations the job took part in.</summary>
    public required double DraftMs { get; init; }

    /// <summary>Target passes of iterations the job took part in.</summary>
    public required double VerifyMs { get; init; }

    /// <summary>Acceptance, measurement and policy in iterations the job took part in.</summary>
    public required double SamplingMs { get; init; }

    /// <summary>From admission to the worker until the result was there.</summary>
    public required double TotalMs { get; init; }
}
