using Dsde.Persistence.Analysis;

namespace Dsde.Experiments;

/// <summary>What tables are made of: one output of one round.</summary>
/// <param name="Key">The job's own name: the same prompt in every cell.</param>
/// <param name="Round">When it ran.</param>
/// <param name="Workload">Its label.</param>
/// <param name="LatencyMs">From its slot to its end.</param>
/// <param name="MachineMs">Its share of the machine's time; over all outputs of a run the time that passes took.</param>
/// <param name="Tokens">Tokens generated.</param>
/// <param name="Iterations">Draft–verify–accept rounds.</param>
/// <param name="Proposed">Draft tokens proposed.</param>
/// <param name="Accepted">Accepted and kept.</param>
internal sealed record OutputFigures(
    string Key,
    int Round,
    string Workload,
    double LatencyMs,
    double MachineMs,
    double Tokens,
    double Iterations,
    double Proposed,
    double Accepted
)
{
    /// <summary>The figures of a stored output.</summary>
    public static OutputFigures Of(StoredSummary stored, int round)
    {
        var trace = stored.Trace;
        return new OutputFigures(
            stored.CustomId ?? stored.JobId.ToString(),
            round,
            stored.Workload ?? "",
            trace.TotalMs - trace.WaitingMs,
            trace.PrefillShareMs + trace.DraftShareMs + trace.VerifyShareMs + trace.SamplingShareMs,
            trace.CompletionTokens,
            trace.Iterations,
            trace.Proposed,
            trace.Accepted
        );
    }
}
