using System.Text.Json;
using Dsde.Contracts;

namespace Dsde.Batches.Files.Writing;

/// <summary>
/// A job without an output as a line of <c>errors.jsonl</c>: OpenAI's batch format, with the number of the job file's line. What the
/// request is to blame for is a response with status 4xx; what it is not to blame for is an <c>error</c> without a response.
/// </summary>
internal static class ErrorLine
{
    /// <summary>Code of jobs that have not ended when the file is written.</summary>
    public const string Unfinished = "unfinished";

    private const string JobNotRunMessage = "The job had not ended when this file was written.";

    public static void WriteRefused(Utf8JsonWriter json, Guid jobId, int lineNumber, string? customId, LineError error) =>
        WriteResponse(json, jobId, lineNumber, customId, 400, error.Code, error.Message, error.Field);

    public static void WriteFailed(Utf8JsonWriter json, int lineNumber, string? customId, GenerationJobFailed job)
    {
        var status = job.Code switch
        {
            FailureCodes.EngineError or FailureCodes.WorkerLost or FailureCodes.InternalError => 500,
            FailureCodes.ModelNotFound => 404,
            FailureCodes.JobIdConflict => 409,
            _ => 400,
        };
        WriteResponse(json, job.JobId, lineNumber, customId, status, job.Code, job.Message, field: null);
    }

    public static void WriteCancelled(Utf8JsonWriter json, int lineNumber, string? customId, GenerationJobCancelled job)
    {
        var (verb, end) = (
            job.Reason == "expired" ? "has expired" : "was cancelled",
            job.Usage is { } usage ? $"after {usage.CompletionTokens} tokens" : "before it had an output"
        );
        WriteWithoutResponse(json, job.JobId, lineNumber, customId, job.Reason, $"The job {verb} {end}.", job.Text);
    }

    public static void WriteUnfinished(Utf8JsonWriter json, Guid jobId, int lineNumber, string? customId) =>
        WriteWithoutResponse(json, jobId, lineNumber, customId, Unfinished, JobNotRunMessage);

    private static void WriteResponse(
        Utf8JsonWriter json,
        Guid jobId,
        int lineNumber,
        string? customId,
        int status,
        string code,
        string message,
        string? field
    )
    {
        WriteStart(json, jobId, lineNumber, customId);
        json.WriteStartObject("response");
        json.WriteNumber("status_code", status);
        json.WriteString("request_id", $"req_{jobId:N}");
        json.WriteStartObject("body");
        json.WriteStartObject("error");
        json.WriteString("message", message);
        json.WriteString("type", status >= 500 ? "server_error" : "invalid_request_error");
        json.WriteString("param", field);
        json.WriteString("code", code);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteNull("error");
        json.WriteEndObject();
    }

    private static void WriteWithoutResponse(
        Utf8JsonWriter json,
        Guid jobId,
        int lineNumber,
        string? customId,
        string code,
        string message,
        string? partialText = null
    )
    {
        WriteStart(json, jobId, lineNumber, customId);
        json.WriteNull("response");
        json.WriteStartObject("error");
        json.WriteString("code", code);
        json.WriteString("message", message);
        if (partialText is not null)
        {
            json.WriteString("partial_text", partialText);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteStart(Utf8JsonWriter json, Guid jobId, int lineNumber, string? customId)
    {
        json.WriteStartObject();
        json.WriteString("id", $"batch_req_{jobId:N}");
        json.WriteString("custom_id", customId);
        json.WriteNumber("line", lineNumber);
    }
}
