namespace Dsde.Engine;

/// <summary>One turn of a chat.</summary>
/// <param name="Role"><c>system</c>, <c>user</c> or <c>assistant</c>.</param>
/// <param name="Content">What is said.</param>
public readonly record struct ChatTurn(string Role, string Content);
