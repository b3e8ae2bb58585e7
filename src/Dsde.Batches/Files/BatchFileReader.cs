using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dsde.Batches.Files.Reading;

namespace Dsde.Batches.Files;

/// <summary>
/// Reads a job file in the OpenAI batch format line by line. A bad line becomes a <see cref="LineError"/> and disturbs no other. Memory
/// grows by 16 bytes per line, for noticing a custom_id given twice.
/// </summary>
internal static class BatchFileReader
{
    private const string ChatUrl = "/v1/chat/completions";
    private const string CompletionUrl = "/v1/completions";

    /// <summary>Yields every line that is not blank, in order.</summary>
    public static async IAsyncEnumerable<BatchFileLine> ReadAsync(
        Stream stream,
        BatchDefaults defaults,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var customIds = new HashSet<UInt128>();
        var number = 0;
        await foreach (var bytes in JobFileLines.ReadAsync(stream, cancellationToken))
        {
            number++;
            if (bytes is null)
            {
                var longest = $"The line is longer than {JobFileLines.MaxLineBytes >> 20} MiB.";
                yield return Start(number, defaults) with
                {
                    Error = new LineError(LineErrorCodes.LineTooLong, longest),
                };
                continue;
            }

            var content = number == 1 ? WithoutByteOrderMark(bytes) : bytes;
            if (content.Span.ContainsAnyExcept(" \t"u8))
            {
                yield return ReadLine(content, number, defaults, customIds);
            }
        }
    }

    /// <summary>Opens a file for <see cref="ReadAsync"/>.</summary>
    /// <exception cref="IOException">It is not there or may not be read.</exception>
    public static FileStream Open(string path) =>
        new(path, new FileStreamOptions { Options = FileOptions.Asynchronous | FileOptions.SequentialScan, Share = FileShare.Read });

    private static BatchFileLine ReadLine(ReadOnlyMemory<byte> content, int number, BatchDefaults defaults, HashSet<UInt128> customIds)
    {
        var line = Start(number, defaults);
        if (
            number == 1
            && (content.Span.StartsWith(Encoding.Unicode.Preamble) || content.Span.StartsWith(Encoding.BigEndianUnicode.Preamble))
        )
        {
            return line with { Error = new LineError(LineErrorCodes.InvalidJson, "The file is UTF-16; save it as UTF-8.") };
        }

        try
        {
            using var document = JsonDocument.Parse(content);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw Invalid(LineErrorCodes.InvalidJson, "The line is not a JSON object.", null);
            }

            line = line with { NamedModel = FindModel(document.RootElement) };
            var fields = new JsonFields(document.RootElement, "");
            var customId = ReadCustomId(fields);
            line = line with { CustomId = customId };
            RefuseDuplicate(customId, customIds);
            line = line with { JobId = BatchJobIds.OfCustomId(defaults.BatchId, customId) };
            var isChat = ReadIsChat(fields);
            var body = ReadBody(fields);
            var job = RequestBody.ToJob(body, isChat, line, defaults, out var ignored);
            return line with { Job = job, IgnoredFields = ignored };
        }
        catch (JsonException exception)
        {
            return line with { Error = new LineError(LineErrorCodes.InvalidJson, $"The line is not JSON: {Describe(exception)}") };
        }
        catch (InvalidOperationException)
        {
            // The parser lets broken UTF-8 and lone surrogates pass until a string is asked for.
            return line with { Error = new LineError(LineErrorCodes.InvalidJson, "The line has text that is not valid Unicode.") };
        }
        catch (LineFormatException exception)
        {
            return line with { Error = exception.Error };
        }
    }

    private static BatchFileLine Start(int number, BatchDefaults defaults) =>
        new() { Number = number, JobId = BatchJobIds.OfLine(defaults.BatchId, number) };

    private static string ReadCustomId(JsonFields fields) =>
        fields.TakeString("custom_id") is { Length: > 0 } customId
            ? customId
            : throw fields.Missing("custom_id", "results are told apart by it");

    private static void RefuseDuplicate(string customId, HashSet<UInt128> customIds)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(customId));
        if (!customIds.Add(BitConverter.ToUInt128(hash)))
        {
            throw Invalid(
                LineErrorCodes.DuplicateCustomId,
                $"custom_id '{customId}' was used on an earlier line; give each line a name of its own.",
                "custom_id"
            );
        }
    }

    private static bool ReadIsChat(JsonFields fields)
    {
        var method = fields.TakeString("method");
        if (method is not (null or "POST"))
        {
            throw Invalid(LineErrorCodes.InvalidMethod, $"method must be POST, but is '{method}'.", "method");
        }

        return fields.TakeString("url") switch
        {
            ChatUrl => true,
            CompletionUrl => false,
            null => throw fields.Missing("url", $"give {CompletionUrl} or {ChatUrl}"),
            var other => throw Invalid(LineErrorCodes.InvalidUrl, $"url must be {CompletionUrl} or {ChatUrl}, but is '{other}'.", "url"),
        };
    }

    private static JsonElement ReadBody(JsonFields fields)
    {
        var body = fields.Take("body") ?? throw fields.Missing("body", "give an object with the request");
        KnownFields.Line.Settle(fields);
        return body.ValueKind == JsonValueKind.Object ? body : throw fields.Wrong("body", body, "an object");
    }

    /// <summary>The name of a model, or what stands in its place.</summary>
    private static string? FindModel(JsonElement line) =>
        line.TryGetProperty("body", out var body)
        && body.ValueKind == JsonValueKind.Object
        && body.TryGetProperty("model", out var model)
        && model.ValueKind != JsonValueKind.Null
            ? model.ToString()
            : null;

    private static LineFormatException Invalid(string code, string message, string? field) => new(new LineError(code, message, field));

    /// <summary>The parser counts lines and bytes from 0 and always says line 0 here.</summary>
    private static string Describe(JsonException exception)
    {
        var end = exception.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        var reason = end < 0 ? exception.Message : exception.Message[..end];
        return exception.BytePositionInLine is { } position ? $"{reason} (column {position + 1})" : reason;
    }

    private static ReadOnlyMemory<byte> WithoutByteOrderMark(byte[] bytes) =>
        bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? bytes.AsMemory(Encoding.UTF8.Preamble.Length) : bytes;
}
