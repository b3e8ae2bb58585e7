using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dsde.Contracts;
using Dsde.Persistence.Jobs;
using Dsde.Pipeline.Jobs.Run;

namespace Dsde.Pipeline.Messaging.Incoming;

/// <summary>
/// Reads a job from the body of a message, whatever the body is. What is wrong with it is told to the job's submitter if it says whose it
/// is, and never with its own words.
/// </summary>
internal static class IncomingJobReader
{
    /// <summary>The media type of MassTransit's envelopes; every other one is taken for raw JSON.</summary>
    public const string EnvelopeMediaType = "application/vnd.masstransit+json";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        AllowTrailingCommas = JsonWalk.Options.AllowTrailingCommas,
        ReadCommentHandling = JsonWalk.Options.CommentHandling,
        MaxDepth = JsonWalk.Options.MaxDepth,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.Strict,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
    };

    /// <param name="body">As it came.</param>
    /// <param name="mediaType">What the message says the body is; null if it says nothing.</param>
    /// <param name="maxBytes">The longest body that is read.</param>
    public static IncomingJob Read(ReadOnlySpan<byte> body, string? mediaType, int maxBytes)
    {
        var json = WithoutByteOrderMark(body);
        var ids = default(MessageIds);
        try
        {
            if (IsEnvelope(mediaType))
            {
                var envelope = EnvelopeScan.Read(json);
                if (!envelope.IsJob || envelope.Message is not { } message)
                {
                    return new IncomingJob.Unreadable(
                        envelope.IsJob
                            ? "The envelope has no message."
                            : $"The envelope's messageType does not name {nameof(SubmitGenerationJob)}, and this queue takes nothing else."
                    );
                }

                json = json[message];
                ids = envelope.Ids;
            }

            return body.Length > maxBytes
                ? Refuse(
                    body,
                    JobScan.Read(json),
                    ids,
                    FailureCodes.RequestTooLarge,
                    $"The message has {body.Length} bytes; a worker takes at most {maxBytes}."
                )
                : ReadJob(body, json, ids);
        }
        catch (JsonException exception)
        {
            return new IncomingJob.Unreadable(
                $"The body is not a JSON object{(IsEnvelope(mediaType) ? " with an envelope" : "")}: "
                    + (
                        body.IsEmpty
                            ? "it is empty."
                            : $"it can't be read from byte {exception.BytePositionInLine ?? 0} of line {(exception.LineNumber ?? 0) + 1} on, or is nested deeper than {JsonWalk.Options.MaxDepth} levels."
                    )
            );
        }
    }

    /// <summary>The job that a body is about; null if it doesn't say.</summary>
    public static Guid? FindJobId(ReadOnlySpan<byte> body, string? contentType)
    {
        var json = WithoutByteOrderMark(body);
        try
        {
            if (!IsEnvelope(contentType))
            {
                return JobScan.Read(json).JobId;
            }

            return EnvelopeScan.Read(json) is { IsJob: true, Message: { } message } ? JobScan.Read(json[message]).JobId : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool IsEnvelope(string? contentType) =>
        contentType is not null && EnvelopeMediaType.Equals(contentType.Split(';')[0].Trim(), StringComparison.OrdinalIgnoreCase);

    private static ReadOnlySpan<byte> WithoutByteOrderMark(ReadOnlySpan<byte> body) =>
        body.StartsWith(Encoding.UTF8.Preamble) ? body[Encoding.UTF8.Preamble.Length..] : body;

    private static IncomingJob ReadJob(ReadOnlySpan<byte> body, ReadOnlySpan<byte> json, MessageIds ids)
    {
        SubmitGenerationJob? job;
        try
        {
            job = JsonSerializer.Deserialize<SubmitGenerationJob>(json, Json);
        }
        catch (Exception exception)
            when (exception is JsonException or InvalidOperationException or ArgumentException or FormatException or OverflowException)
        {
            // If the body is no JSON at all, this throws and says so.
            var scan = JobScan.Read(json);
            return Refuse(
                body,
                scan,
                ids,
                FailureCodes.InvalidRequest,
                scan.HasModel ? Describe(exception) : "model is missing; give the alias of a model."
            );
        }

        return job is null || job.JobId == Guid.Empty ? Refuse(body, JobScan.Read(json), ids, FailureCodes.InvalidRequest, "")
            : JobLimits.Check(job) is { } mistake ? Refuse(body, JobScan.Read(json), ids, FailureCodes.InvalidRequest, mistake)
            : new IncomingJob.Read(job, ids);
    }

    private static IncomingJob Refuse(ReadOnlySpan<byte> body, JobScan scan, MessageIds ids, string code, string reason)
    {
        if (scan.JobId is not { } jobId)
        {
            return new IncomingJob.Unreadable(code == FailureCodes.InvalidRequest ? scan.JobIdMistake : $"{reason} {scan.JobIdMistake}");
        }

        var stub = new SubmitGenerationJob
        {
            JobId = jobId,
            BatchId = scan.BatchId,
            CustomId = scan.CustomId,
            Model = "",
        };
        return new IncomingJob.Read(stub, ids, new JobRefusal(new JobFailure(code, reason, Retryable: false), SHA256.HashData(body)));
    }

    /// <summary>The serializer's own words may be those of the body.</summary>
    private static string Describe(Exception exception)
    {
        const int longestPath = 80;
        var path =
            (exception as JsonException)?.Path is { Length: > 2 and <= longestPath } known
            && known.StartsWith("$.", StringComparison.Ordinal)
            && JobLimits.IsPlain(known)
                ? known[2..]
                : "A field of the job";
        return $"{path} can't be read: it is given twice, has a value of another type, a number out of range, or text that is not valid Unicode.";
    }
}
