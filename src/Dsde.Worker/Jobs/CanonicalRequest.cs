using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dsde.Contracts;

namespace Dsde.Worker.Jobs;

/// <summary>One way to write a request down, so that the same request has the same hash however it was spelt on the way here.</summary>
internal static class CanonicalRequest
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The request in canonical JSON, and its SHA-256.</summary>
    public static (string Json, byte[] Hash) Write(SubmitGenerationJob job)
    {
        var json = JsonSerializer.Serialize(job with { Metadata = Sort(job.Metadata), LogitBias = Sort(job.LogitBias), ExpiresAt = job.ExpiresAt?.ToUniversalTime() }, Json);
        return (json, SHA256.HashData(Encoding.UTF8.GetBytes(json)));
    }

    private static SortedDictionary<string, T>? Sort<T>(IReadOnlyDictionary<string, T>? entries) =>
        entries is null ? null : new SortedDictionary<string, T>(entries.ToDictionary(), StringComparer.Ordinal);

    /// <summary>Reads a request back.</summary>
    public static SubmitGenerationJob Read(string json) =>
        JsonSerializer.Deserialize<SubmitGenerationJob>(json, Json) ?? throw new JsonException("A stored request is null.");
}
