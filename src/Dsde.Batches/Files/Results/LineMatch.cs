using Dsde.Contracts;

namespace Dsde.Batches.Files.Results;

/// <summary>
/// Whether a line of a job file is what the job of its id was submitted with. The id follows from batch and <c>custom_id</c>; that the
/// request is the same says its SHA-256. So no line ever gets the output of another one. Of a job whose texts were pruned there is no
/// output to get, and what its line left open when it was submitted is not known any more: it is taken for the line's.
/// </summary>
internal static class LineMatch
{
    /// <summary>Whether the job is the line's.</summary>
    /// <param name="line">The line's job.</param>
    /// <param name="known">The job of the same id that is known.</param>
    /// <param name="defaultsAreForgotten"><see cref="BatchDefaults.AreForgotten"/> of the reading that made the line's job.</param>
    public static bool Fits(SubmitGenerationJob line, KnownJob known, bool defaultsAreForgotten) =>
        known.RequestHash is not { } hash // nobody has seen it yet: it was called off ahead
        || IsUnread(known)
        || (defaultsAreForgotten && known.Request is null)
        || HashOf(line, defaultsAreForgotten ? known.Request : null).AsSpan().SequenceEqual(hash);

    /// <summary>
    /// Why a line gets no output though there is a job of its id: told to whoever has changed the file since, or has another one.
    /// </summary>
    public static LineError Conflict(BatchFileLine line, Guid batchId) =>
        new(
            FailureCodes.JobIdConflict,
            $"In batch {batchId} custom_id '{line.CustomId}' stands for another request than line {line.Number} has, and that one "
                + $"keeps its "
                + "result: the line was changed since, or is of another file. To get what the batch has, give the file as it was "
                + "submitted, "
                + $"or none (dsde results {batchId}). To have this line run, submit the file as a batch of its own, without --batch-id.",
            "custom_id"
        );

    /// <summary>Why a line has no job in a batch all of whose jobs are known.</summary>
    public static LineError Stranger(BatchFileLine line, Guid batchId) =>
        new(
            LineErrorCodes.NotInBatch,
            $"Batch {batchId} has no job of custom_id '{line.CustomId}' (line {line.Number}). {Reason(line)}Give the file as it "
                + $"was submitted, or none (dsde results {batchId}); to have this line run, submit the file as a batch of its own, "
                + "without --batch-id.",
            "custom_id"
        );

    private static string Reason(BatchFileLine line) =>
        line.Job is { Model: "" } ? "It names no model, and was refused for that unless the batch was submitted with --model. " : "";

    /// <summary>
    /// It was refused before its request could be made out, for example as too large: what its hash is of nobody can compute again, and
    /// there is no output that could go to the wrong line.
    /// </summary>
    private static bool IsUnread(KnownJob known) => known is { Request.Model: "", End: GenerationJobFailed };

    private static byte[] HashOf(SubmitGenerationJob line, SubmitGenerationJob? stored) =>
        CanonicalRequest
            .Write(
                stored is null
                    ? line
                    : line with
                    {
                        Model = stored.Model,
                        Policy = line.Policy ?? stored.Policy,
                        Proposer = line.Proposer ?? stored.Proposer,
                        Seed = line.Seed ?? stored.Seed,
                    }
            )
            .Hash;
}
