using System.Text.RegularExpressions;

namespace Dsde.Engine.Tokenization.Chats;

/// <summary>
/// ChatML: every turn between two markers, the role in its first line. Qwen2 and Qwen2.5 add a system turn where a chat begins without one.
/// </summary>
internal sealed partial class ChatMlTemplate(string? defaultSystem) : IChatTemplate
{
    public const string TurnStart = "<|im_start|>";
    public const string TurnEnd = "<|im_end|>";

    /// <summary>How all of the family begin the answer, as <see cref="TemplateText.Reduced"/> shows it.</summary>
    private const string Answer = "{%ifadd_generation_prompt%}{{'<|im_start|>assistant'}}{%endif%}";

    /// <summary>The spellings of a turn.</summary>
    private static readonly string[] Turns =
    [
        "{{'<|im_start|>'+message['role']+''+message['content']+'<|im_end|>'+''}}",
        "{{'<|im_start|>'+message['role']+''+message['content']+'<|im_end|>'}}",
        "{{'<|im_start|>'+message.role+''+message.content+'<|im_end|>'+''}}",
        "{{'<|im_start|>'+message.role+''+content+'<|im_end|>'+''}}",
    ];

    /// <summary>What templates that look alike have beside it: other beginnings, trimmed content, thoughts.</summary>
    private static readonly string[] Strangers = ["bos_token", "eos_token", "|trim", ".strip(", "<think>"];

    /// <inheritdoc/>
    public string Name => defaultSystem is null ? "ChatML" : "ChatML (Qwen2)";

    /// <inheritdoc/>
    public IReadOnlyList<string> Markers { get; } = [TurnStart, TurnEnd];

    /// <summary>This template, if a text is it.</summary>
    public static IChatTemplate? TryRead(TemplateText text) =>
        text.Reduced.EndsWith(Answer, StringComparison.Ordinal)
        && Array.Exists(Turns, turn => text.HasAll(turn))
        && !Array.Exists(Strangers, stranger => text.HasAll(stranger))
            ? new ChatMlTemplate(DefaultSystem().Match(text.Plain) is { Success: true } found ? found.Groups[1].Value : null)
            : null;

    /// <inheritdoc/>
    public void Write(IReadOnlyList<ChatTurn> turns, ChatWriter chat)
    {
        if (defaultSystem is not null && (turns.Count == 0 || turns[0].Role != Roles.System))
        {
            WriteTurn(chat, Roles.System, defaultSystem);
        }

        foreach (var turn in turns)
        {
            WriteTurn(chat, turn.Role, turn.Content);
        }

        chat.Marker(TurnStart).Text(Roles.Assistant + "\n");
    }

    private static void WriteTurn(ChatWriter chat, string role, string content) =>
        chat.Marker(TurnStart).Text($"{role}\n{content}").Marker(TurnEnd).Text("\n");

    [GeneratedRegex(@"<\|im_start\|>system\n([^'{}<]+)<\|im_end\|>\n'")]
    private static partial Regex DefaultSystem();
}
