namespace Dsde.ModelForge.Corpus;

/// <summary>A prompt and its continuation.</summary>
/// <param name="Workload">The kind of text, for example <c>stories</c>.</param>
/// <param name="Turns">A chat's turns, user first, the last one the user's; a single entry with <paramref name="IsChat"/> false is a plain
/// prompt.</param>
/// <param name="IsChat">Whether the prompt is a chat.</param>
/// <param name="Completion">What follows.</param>
internal sealed record Document(string Workload, IReadOnlyList<string> Turns, bool IsChat, string Completion)
{
    /// <summary>The prompt as one text; tells prompts apart.</summary>
    public string PromptKey => string.Join('\u001e', Turns);

    /// <summary>A plain prompt and its continuation.</summary>
    public static Document Plain(string workload, string prompt, string completion) => new(workload, [prompt], false, completion);

    /// <summary>A chat and its answer.</summary>
    public static Document Chat(string workload, string question, string answer) => new(workload, [question], true, answer);
}
