using System.Text.Json;

namespace Dsde.Contracts;

/// <summary>One turn of a chat prompt.</summary>
public sealed record ChatMessage
{
    /// <summary>Who speaks: <c>system</c>, <c>user</c>, <c>assistant</c> or <c>tool</c>.</summary>
    public required string Role { get; init; }

    /// <summary>
    /// What is said; any characters but NUL. Only an assistant's may be null or missing: then it has said nothing, and beside calls of
    /// tools the chat template is told that there is no content.
    /// </summary>
    public string? Content { get; init; }

    /// <summary>What an assistant thought before it said that, for chat templates that show it; any characters but NUL.</summary>
    public string? ReasoningContent { get; init; }

    /// <summary>The speaker's name, or the tool's, for chat templates that show it; at most 64 characters.</summary>
    public string? Name { get; init; }

    /// <summary>
    /// Calls of tools by an assistant, at most 128, as OpenAI has them: each with a <c>function</c> that has a <c>name</c> and
    /// <c>arguments</c>, an object or the text of one.
    /// </summary>
    public IReadOnlyList<JsonElement>? ToolCalls { get; init; }

    /// <summary>Which call a turn of role <c>tool</c> answers; at most 64 characters.</summary>
    public string? ToolCallId { get; init; }
}
