using System.Text.Json.Serialization;

namespace Dsde.Contracts;

/// <summary>One turn of a chat prompt.</summary>
public sealed record ChatMessage
{
    /// <summary>Who speaks: <c>system</c>, <c>user</c> or <c>assistant</c>.</summary>
    public required string Role { get; init; }

    /// <summary>What is said; any characters but NUL. Null, for an assistant that said nothing, is read as empty.</summary>
    [JsonConverter(typeof(SilenceConverter))]
    public required string Content { get; init; }
}
