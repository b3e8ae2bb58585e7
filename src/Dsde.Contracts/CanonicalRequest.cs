using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dsde.Contracts;

/// <summary>
/// One way to write a request down, so that the same request has the same hash however it was spelt on the way here. How many jobs its
/// batch has is no part of it: a job that is sent again with that number, or without, is the same job.
/// </summary>
public static class CanonicalRequest
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        MaxDepth = 128, // what a message may nest is deeper here by what it is put into
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The request in canonical JSON, and its SHA-256.</summary>
    public static (string Json, byte[] Hash) Write(SubmitGenerationJob job)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(Normalize(job), Json);
        return (Encoding.UTF8.GetString(bytes), SHA256.HashData(bytes));
    }

    /// <summary>
    /// The request in canonical JSON as far as it may be stored where prompts may not; of a chat that it was one, without its messages
    /// and what its template is given besides; and without the format of its outputs, which may tell as much.
    /// </summary>
    public static string WriteWithoutPrompt(SubmitGenerationJob job) =>
        JsonSerializer.Serialize(
            Normalize(job) with
            {
                Prompt = null,
                Messages = job.Messages is null ? null : [],
                Tools = null,
                Documents = null,
                ChatTemplateKwargs = null,
                ResponseFormat = null,
            },
            Json
        );

    /// <summary>Reads a request back.</summary>
    /// <exception cref="JsonException">The text is no request.</exception>
    public static SubmitGenerationJob Read(string json) =>
        JsonSerializer.Deserialize<SubmitGenerationJob>(json, Json) ?? throw new JsonException("A stored request is null.");

    private static SubmitGenerationJob Normalize(SubmitGenerationJob job) =>
        OutputFormat.Normalize(job) with
        {
            BatchJobCount = null,
            Messages = job.Messages is null ? null : [.. job.Messages.Select(Normalize)],
            Tools = EmptyToNull(job.Tools),
            Documents = EmptyToNull(job.Documents),
            ChatTemplateKwargs = job.ChatTemplateKwargs is { Count: > 0 } ? Sort(job.ChatTemplateKwargs) : null,
            Metadata = Sort(job.Metadata),
            LogitBias = Sort(job.LogitBias),
            ExpiresAt = job.ExpiresAt?.ToUniversalTime(),
        };

    /// <summary>An assistant that said nothing and called nothing has an empty content, whether it was empty, null or missing.</summary>
    private static ChatMessage Normalize(ChatMessage message) =>
        message with
        {
            Content = message.Content ?? (message.ToolCalls is { Count: > 0 } ? null : ""),
            ToolCalls = EmptyToNull(message.ToolCalls),
        };

    private static IReadOnlyList<T>? EmptyToNull<T>(IReadOnlyList<T>? list) => list is { Count: > 0 } ? list : null;

    private static SortedDictionary<string, T>? Sort<T>(IReadOnlyDictionary<string, T>? entries) =>
        entries is null ? null : new SortedDictionary<string, T>(entries.ToDictionary(), StringComparer.Ordinal);
}
