using Dsde.Contracts;
using Dsde.Engine;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Telemetry;

namespace Dsde.Pipeline.Jobs.Ends;

/// <summary>Makes a job's end of what the engine gave.</summary>
internal static class EndConversion
{
    /// <summary>Of a cancelled job.</summary>
    public const string Cancelled = "cancelled";

    /// <summary>Of a job whose deadline has passed.</summary>
    public const string Expired = "expired";

    /// <summary>The end; null if an output was suspended, so that the job has none.</summary>
    public static JobEnd? Create(
        SubmitGenerationJob job,
        JobLease lease,
        IReadOnlyList<GenerationRequest> requests,
        GenerationResult[] results,
        IGenerationEngine engine,
        string telemetryLevel
    )
    {
        if (results.Any(result => result.FinishReason == FinishReason.Suspended))
        {
            return null;
        }

        return results.FirstOrDefault(result => result.FinishReason is FinishReason.Cancelled or FinishReason.Expired)?.FinishReason switch
        {
            FinishReason.Cancelled => CreateCut(job, lease, requests, results, Cancelled, engine, telemetryLevel),
            FinishReason.Expired => CreateCut(job, lease, requests, results, Expired, engine, telemetryLevel),
            _ => new CompletedJobEnd(lease, ToOutputs(job, requests, results, engine), ToTraces(requests, results, engine, telemetryLevel)),
        };
    }

    /// <summary>The end of a job that was called off, with what there is of its outputs.</summary>
    public static JobEnd CreateCut(
        SubmitGenerationJob job,
        JobLease lease,
        IReadOnlyList<GenerationRequest> requests,
        GenerationResult[] results,
        string reason,
        IGenerationEngine engine,
        string telemetryLevel
    ) =>
        results.Any(result => result.TokenIds.Count > 0)
            ? new CancelledJobEnd(
                lease,
                reason,
                ToOutputs(job, requests, results, engine),
                ToTraces(requests, results, engine, telemetryLevel)
            )
            : new CancelledJobEnd(lease, reason, [], []);

    private static JobOutput[] ToOutputs(
        SubmitGenerationJob job,
        IReadOnlyList<GenerationRequest> requests,
        GenerationResult[] results,
        IGenerationEngine engine
    ) => [.. results.Select((result, output) => TraceConversion.ToJobOutput(result, requests[output], job, output, engine.PromptEncoder))];

    private static JobTrace[] ToTraces(
        IReadOnlyList<GenerationRequest> requests,
        GenerationResult[] results,
        IGenerationEngine engine,
        string telemetryLevel
    ) =>
        [
            .. results.Select(
                (result, output) =>
                    TraceLevel.Reduce(TraceConversion.ToJobTrace(result, requests[output], engine.Description), telemetryLevel)
            ),
        ];
}
