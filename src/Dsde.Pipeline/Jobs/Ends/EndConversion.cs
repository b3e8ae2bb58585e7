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
        GenerationRequest request,
        GenerationResult[] results,
        IGenerationEngine engine
    )
    {
        if (results.Any(result => result.FinishReason == FinishReason.Suspended))
        {
            return null;
        }

        return results.FirstOrDefault(result => result.FinishReason is FinishReason.Cancelled or FinishReason.Expired)?.FinishReason switch
        {
            FinishReason.Cancelled => CreateCut(job, lease, request, results, Cancelled, engine),
            FinishReason.Expired => CreateCut(job, lease, request, results, Expired, engine),
            _ => new CompletedJobEnd(lease, ToOutputs(job, request, results, engine), ToTraces(request, results, engine)),
        };
    }

    /// <summary>The end of a job that was called off, with what there is of its outputs.</summary>
    public static JobEnd CreateCut(
        SubmitGenerationJob job,
        JobLease lease,
        GenerationRequest request,
        GenerationResult[] results,
        string reason,
        IGenerationEngine engine
    ) =>
        results.Any(result => result.TokenIds.Count > 0)
            ? new CancelledJobEnd(lease, reason, ToOutputs(job, request, results, engine), ToTraces(request, results, engine))
            : new CancelledJobEnd(lease, reason, [], []);

    private static JobOutput[] ToOutputs(
        SubmitGenerationJob job,
        GenerationRequest request,
        GenerationResult[] results,
        IGenerationEngine engine
    ) => [.. results.Select(result => TraceConversion.ToJobOutput(result, request, job, engine.PromptEncoder))];

    private static JobTrace[] ToTraces(GenerationRequest request, GenerationResult[] results, IGenerationEngine engine) =>
        [.. results.Select(result => TraceConversion.ToJobTrace(result, request, engine.Description))];
}
