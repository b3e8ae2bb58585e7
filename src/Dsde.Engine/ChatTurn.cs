using System.Text.Json;

namespace Dsde.Engine;

/// <summary>One turn of a chat.</summary>
/// <param name="Role"><c>system</c>, <c>user</c>, <c>assistant</c> or <c>tool</c>.</param>
/// <param name="Content">What is said; null for an assistant that said nothing.</param>
public readonly record struct ChatTurn(string Role, string? Content)
{
    /// <summary>What an assistant thought before it said that; null if it isn't known.</summary>
    public string? ReasoningContent { get; init; }

    /// <summary>The speaker's name, or the tool's; null without one.</summary>
    public string? Name { get; init; }

    /// <summary>
    /// Calls of tools, each an object with a <c>function</c> that has a <c>name</c> and <c>arguments</c>, an object or the text of one;
    /// null without any.
    /// </summary>
    public IReadOnlyList<JsonElement>? ToolCalls { get; init; }

    /// <summary>The call that a tool's turn answers; null if it doesn't say.</summary>
    public string? ToolCallId { get; init; }
}
