namespace Dsde.Engine.Tokenization.Chats;

/// <summary>
/// Qwen3: ChatML without a default system turn. Thoughts are left out of earlier answers. Thinking is on, which is the template's default:
/// the answer begins with nothing written for it.
/// </summary>
internal sealed class Qwen3Template : IChatTemplate
{
    private const string ThoughtStart = "<think>";
    private const string ThoughtEnd = "</think>";

    /// <inheritdoc/>
    public string Name => "Qwen3";

    /// <inheritdoc/>
    public IReadOnlyList<string> Markers { get; } = [ChatMlTemplate.TurnStart, ChatMlTemplate.TurnEnd];

    /// <summary>This template, if a text is it.</summary>
    public static IChatTemplate? TryRead(TemplateText text) =>
        text.HasAll(
            "last_query_index",
            "content.split('</think>')[-1].lstrip('')",
            "{{'<|im_start|>assistant'}}{%ifenable_thinkingisdefinedandenable_thinkingisfalse%}{{'<think></think>'}}{%endif%}"
        )
            ? new Qwen3Template()
            : null;

    /// <inheritdoc/>
    public void Write(IReadOnlyList<ChatTurn> turns, ChatWriter chat)
    {
        var lastQuestion = turns.Count - 1;
        while (lastQuestion >= 0 && turns[lastQuestion].Role != Roles.User)
        {
            lastQuestion--;
        }

        for (var i = 0; i < turns.Count; i++)
        {
            var content =
                turns[i].Role == Roles.Assistant
                    ? ShowAnswer(turns[i].Content, i > lastQuestion && lastQuestion >= 0, i == turns.Count - 1)
                    : turns[i].Content;
            chat.Marker(ChatMlTemplate.TurnStart).Text($"{turns[i].Role}\n{content}").Marker(ChatMlTemplate.TurnEnd).Text("\n");
        }

        chat.Marker(ChatMlTemplate.TurnStart).Text(Roles.Assistant + "\n");
    }

    /// <summary>An answer keeps its thoughts, or gets empty ones, only behind the last question.</summary>
    private static string ShowAnswer(string content, bool isBehindLastQuestion, bool isLast)
    {
        var (thoughts, answer) = ("", content);
        if (content.Contains(ThoughtEnd, StringComparison.Ordinal))
        {
            answer = content[(content.LastIndexOf(ThoughtEnd, StringComparison.Ordinal) + ThoughtEnd.Length)..].TrimStart('\n');
            thoughts = content[..content.IndexOf(ThoughtEnd, StringComparison.Ordinal)].TrimEnd('\n');
            var start = thoughts.LastIndexOf(ThoughtStart, StringComparison.Ordinal);
            thoughts = (start < 0 ? thoughts : thoughts[(start + ThoughtStart.Length)..]).TrimStart('\n');
        }

        return isBehindLastQuestion && (isLast || thoughts.Length > 0)
            ? $"{ThoughtStart}\n{thoughts.Trim('\n')}\n{ThoughtEnd}\n\n{answer.TrimStart('\n')}"
            : answer;
    }
}
