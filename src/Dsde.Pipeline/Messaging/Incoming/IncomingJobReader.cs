using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dsde.Contracts;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Jobs.Run;

namespace Dsde.Pipeline.Messaging.Incoming;

/// <summary>
/// Reads a job from the body of a message, whatever the body is. What is wrong with it is told to the job's submitter if it says whose it
/// is, in the words that job files are refused with; to an operator's log otherwise, with none of its own words but names of fields.
/// </summary>
internal static class IncomingJobReader
{
    private static readonly IReadOnlyCollection<string> JobFields = KnownFields.NamesOf(typeof(SubmitGenerationJob));
    private static readonly FieldTypes JobTypes = new(typeof(SubmitGenerationJob));
    private static readonly FieldTypes TurnTypes = new(typeof(ChatMessage));
    private static readonly IReadOnlyCollection<string> TurnFields = KnownFields.NamesOf(typeof(ChatMessage));

    /// <param name="body">As it came.</param>
    /// <param name="mediaType">What the message says the body is; null if it says nothing.</param>
    /// <param name="maxBytes">The longest body that is read.</param>
    /// <param name="model">The model of a job that names none; null if it has to name one.</param>
    /// <exception cref="UnreadableMessageException">Nobody can be told, as it doesn't say which job it is about.</exception>
    public static IncomingJob Read(ReadOnlyMemory<byte> body, string? mediaType, int maxBytes, string? model = null)
    {
        using var opened = MessageBody.Open(body, mediaType, typeof(SubmitGenerationJob), maxBytes);
        var fields = KnownFields.Read(opened.Message, JobFields);
        using var added =
            ModelAlias.IsValid(model) && body.Length <= maxBytes && fields.CountOf(nameof(SubmitGenerationJob.Model)) == 0
                ? AddModel(opened.Message, model)
                : null;
        var message = added?.RootElement ?? opened.Message;
        fields = added is null ? fields : KnownFields.Read(message, JobFields);
        var (job, failure) =
            body.Length > maxBytes
                ? (null, (FailureCodes.RequestTooLarge, $"The message has {body.Length} bytes; a worker takes at most {maxBytes}."))
                : ReadJob(message, fields);
        return job is not null ? new IncomingJob(job, opened.Ids) : Refuse(body, fields, opened.Ids, failure.Code, failure.Message);
    }

    /// <summary>The job that a body is about; null if it doesn't say.</summary>
    public static Guid? FindJobId(ReadOnlyMemory<byte> body, string? mediaType)
    {
        try
        {
            using var opened = MessageBody.Open(body, mediaType, typeof(SubmitGenerationJob), maxBytes: 0);
            var fields = KnownFields.Read(opened.Message, JobFields);
            return FindJobIdMistake(fields) is null ? fields.FindId(nameof(SubmitGenerationJob.JobId)) : null;
        }
        catch (UnreadableMessageException)
        {
            return null;
        }
    }

    private static (SubmitGenerationJob? Job, (string Code, string Message) Failure) ReadJob(JsonElement message, KnownFields fields)
    {
        if (FindJobIdMistake(fields) is { } idMistake)
        {
            return (null, (FailureCodes.InvalidRequest, idMistake));
        }

        if ((fields.Mistake ?? JobTypes.FindMistake(fields) ?? FindMistakeInTurns(fields)) is { } unknown)
        {
            return (null, (FailureCodes.InvalidRequest, unknown));
        }

        try
        {
            var job =
                message.Deserialize<SubmitGenerationJob>(MessageBody.Json)
                ?? throw new JsonException("An object is never null to the serializer.");
            return JobRules.FindUnstorable(job, JobFieldNames.InMessages) is { } mistake
                ? (null, (FailureCodes.InvalidRequest, mistake.Message))
                : (job, default);
        }
        catch (Exception exception)
            when (exception is JsonException or InvalidOperationException or ArgumentException or FormatException or OverflowException)
        {
            return (null, (FailureCodes.InvalidRequest, Describe(exception)));
        }
    }

    /// <summary>The message with a model, where it has none; as its sender wrote it otherwise.</summary>
    private static JsonDocument AddModel(JsonElement message, string model)
    {
        var begin = $"{{\"{JobFieldNames.InMessages(nameof(SubmitGenerationJob.Model))}\":\"{model}\",";
        byte[] body = [.. Encoding.UTF8.GetBytes(begin), .. JsonMarshal.GetRawUtf8Value(message)[1..]]; // maybe no UTF-8, as is found later
        return JsonDocument.Parse(body, MessageBody.Options);
    }

    private static string? FindMistakeInTurns(KnownFields fields) =>
        fields.Find(nameof(SubmitGenerationJob.Messages)) is not { ValueKind: JsonValueKind.Array } turns
            ? null
            : turns
                .EnumerateArray()
                .Select((turn, index) => FindMistakeInTurn(turn, $"{JobFieldNames.InMessages("Messages")}[{index}]."))
                .FirstOrDefault(mistake => mistake is not null);

    private static string? FindMistakeInTurn(JsonElement turn, string path)
    {
        var fields = KnownFields.Read(turn, TurnFields, path, IsHarmlessInTurn);
        return fields.Mistake ?? TurnTypes.FindMistake(fields, path);
    }

    /// <summary>What replayed answers of OpenAI's interface have that is no field here, at values that say nothing.</summary>
    private static bool IsHarmlessInTurn(string name, JsonElement value) =>
        name switch
        {
            "annotations" or "tool_calls" or "refusal" or "audio" or "function_call" => value.ValueKind == JsonValueKind.Null
                || value is { ValueKind: JsonValueKind.Array } && value.GetArrayLength() == 0
                || value is { ValueKind: JsonValueKind.String } && value.ValueEquals(""),
            _ => false,
        };

    private static IncomingJob Refuse(ReadOnlyMemory<byte> body, KnownFields fields, MessageIds ids, string code, string reason)
    {
        if (FindJobIdMistake(fields) is { } mistake)
        {
            string?[] reasons = [code == FailureCodes.InvalidRequest ? null : reason, mistake, fields.Mistake];
            throw new UnreadableMessageException(string.Join(' ', reasons.Where(text => text is not null)));
        }

        var stub = new SubmitGenerationJob
        {
            JobId = fields.FindId(nameof(SubmitGenerationJob.JobId)) ?? Guid.Empty,
            BatchId = fields.FindId(nameof(SubmitGenerationJob.BatchId)),
            CustomId = fields.FindText(nameof(SubmitGenerationJob.CustomId)) is { } text && JobRules.IsCustomId(text) ? text : null,
            Model = "",
        };
        return new IncomingJob(stub, ids, new JobRefusal(new JobFailure(code, reason, Retryable: false), SHA256.HashData(body.Span)));
    }

    /// <summary>What is wrong with the job's id; null if nothing is.</summary>
    private static string? FindJobIdMistake(KnownFields fields) =>
        fields.CountOf(nameof(SubmitGenerationJob.JobId)) switch
        {
            0 => "jobId is missing; give each job an id of its own.",
            > 1 => "jobId is given more than once; give it once.",
            _ => fields.FindId(nameof(SubmitGenerationJob.JobId)) switch
            {
                null => "jobId is no UUID; give for example 7e6f0a52-5a38-4f3e-9f0c-2f1a6d1f4a11.",
                var id when id == Guid.Empty => "jobId is all zeros; give each job an id of its own.",
                _ => null,
            },
        };

    /// <summary>The serializer's own words may be those of the body.</summary>
    private static string Describe(Exception exception)
    {
        const int longestPath = 80;
        var path =
            (exception as JsonException)?.Path is { Length: > 2 and <= longestPath } known
            && known.StartsWith("$.", StringComparison.Ordinal)
            && JobRules.IsPlain(known)
                ? known[2..]
                : "A field of the job";
        return $"{path} can't be read: it has a value of another type, a number out of range, or text that is not valid Unicode.";
    }
}
