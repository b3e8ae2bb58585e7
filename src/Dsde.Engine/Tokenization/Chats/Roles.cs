namespace Dsde.Engine.Tokenization.Chats;

/// <summary>Roles of turns, and what several templates ask of them.</summary>
internal static class Roles
{
    public const string System = "system";
    public const string User = "user";
    public const string Assistant = "assistant";

    /// <summary>Takes the system turn off a chat's beginning; null without one.</summary>
    public static string? TakeSystem(ref IReadOnlyList<ChatTurn> turns)
    {
        if (turns.Count == 0 || turns[0].Role != System)
        {
            return null;
        }

        var content = turns[0].Content;
        turns = [.. turns.Skip(1)];
        return content;
    }

    /// <exception cref="NotSupportedException">Turns of user and assistant don't alternate, or the user doesn't begin.</exception>
    public static void RequireAlternating(IReadOnlyList<ChatTurn> turns, string template)
    {
        for (var i = 0; i < turns.Count; i++)
        {
            if (turns[i].Role != (i % 2 == 0 ? User : Assistant))
            {
                throw new NotSupportedException(
                    $"In a chat for {template} turns of user and assistant alternate, the user's first; turn {i + 1} behind the "
                        + $"system's is the {turns[i].Role}'s. Put neighbouring turns of one role together."
                );
            }
        }
    }
}
