using System.Text.Json;
using Dsde.Batches.Reporting;
using Dsde.Contracts;

namespace Dsde.Batches.Files.Writing;

/// <summary>
/// A job without an output as a line of <c>errors.jsonl</c>: OpenAI's batch format, with the number of the job file's line where there is
/// one. What the request is to blame for is a response with status 4xx; what it is not to blame for is an <c>error</c> without a response.
/// </summary>
internal static class ErrorLine
{
    /// <summary>Code of jobs that have not ended when the file is written.</summary>
    public const string Unfinished = "unfinished";

    private const string JobNotRunMessage = "The job had not ended when this file was written.";

    public static void WriteRefused(Utf8JsonWriter json, LineOrigin line, LineError error) =>
        WriteResponse(json, line, StatusOf(error.Code), error.Code, error.Message, error.Field);

    public static void WriteFailed(Utf8JsonWriter json, LineOrigin line, GenerationJobFailed job)
    {
        var (field, message) = JobFieldNames.InBatchFileWords(job.Message);
        WriteResponse(json, line, StatusOf(job.Code), job.Code, message, field is null ? null : $"body.{field}");
    }

    public static void WriteCancelled(Utf8JsonWriter json, LineOrigin line, GenerationJobCancelled job)
    {
        var (verb, end) = (
            job.Reason == "expired" ? "has expired" : "was cancelled",
            job.Usage is { } usage ? $"after {Quantity.Of(usage.CompletionTokens, "token")}" : "before it had an output"
        );
        WriteWithoutResponse(json, line, job.Reason, $"The job {verb} {end}.", job.Text, job.Choices);
    }

    public static void WriteUnfinished(Utf8JsonWriter json, LineOrigin line) =>
        WriteWithoutResponse(json, line, Unfinished, JobNotRunMessage);

    private static int StatusOf(string code) =>
        code switch
        {
            FailureCodes.EngineError or FailureCodes.WorkerLost or FailureCodes.InternalError => 500,
            FailureCodes.ModelNotFound or LineErrorCodes.NotInBatch => 404,
            FailureCodes.JobIdConflict => 409,
            _ => 400,
        };

    private static void WriteResponse(Utf8JsonWriter json, LineOrigin line, int status, string code, string message, string? field)
    {
        WriteStart(json, line);
        json.WriteStartObject("response");
        json.WriteNumber("status_code", status);
        json.WriteString("request_id", $"req_{line.JobId:N}");
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
        LineOrigin line,
        string code,
        string message,
        string? partialText = null,
        IReadOnlyList<GenerationChoice>? partialChoices = null
    )
    {
        WriteStart(json, line);
        json.WriteNull("response");
        json.WriteStartObject("error");
        json.WriteString("code", code);
        json.WriteString("message", message);
        if (partialChoices?.Any(choice => choice.Text is not null) == true)
        {
            json.WriteStartArray("partial_texts");
            foreach (var choice in partialChoices)
            {
                json.WriteStringValue(choice.Text);
            }

            json.WriteEndArray();
        }
        else if (partialChoices is null && partialText is not null)
        {
            json.WriteString("partial_text", partialText);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteStart(Utf8JsonWriter json, LineOrigin line)
    {
        json.WriteStartObject();
        json.WriteString("id", $"batch_req_{line.JobId:N}");
        json.WriteString("custom_id", line.CustomId);
        if (line.Number is { } number)
        {
            json.WriteNumber("line", number);
        }
    }
}
