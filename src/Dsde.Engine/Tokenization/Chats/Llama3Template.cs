using System.Text.RegularExpressions;

namespace Dsde.Engine.Tokenization.Chats;

/// <summary>
/// Llama 3: a header with the role, then trimmed content. From 3.1 on every chat has a system turn that begins with two dates. Today's date
/// is always the one written in the template, as in Hugging Face for 3.1: with a clock the same job would not give the same output
/// tomorrow.
/// </summary>
internal sealed partial class Llama3Template(string bos, string? today) : IChatTemplate
{
    private const string HeaderStart = "<|start_header_id|>";
    private const string HeaderEnd = "<|end_header_id|>";
    private const string TurnEnd = "<|eot_id|>";
    private const string DefaultToday = "26 Jul 2024";

    /// <inheritdoc/>
    public string Name => today is null ? "Llama 3" : "Llama 3.1";

    /// <inheritdoc/>
    public IReadOnlyList<string> Markers { get; } = [bos, HeaderStart, HeaderEnd, TurnEnd];

    /// <summary>This template, if a text is it.</summary>
    public static IChatTemplate? TryRead(TemplateText text)
    {
        const string Turn = "'<|start_header_id|>'+message['role']+'<|end_header_id|>'+message['content']|trim+'<|eot_id|>'";
        if (!text.HasAll(Turn, "{{'<|start_header_id|>assistant<|end_header_id|>'}}"))
        {
            return null;
        }

        if (text.HasAll("bos_token+content"))
        {
            return new Llama3Template(text.BosToken, null);
        }

        return text.HasAll(
            "{{bos_token}}",
            "{{'CuttingKnowledgeDate:December2023'}}",
            "{{'TodayDate:'+date_string+''}}",
            "{{system_message}}"
        )
            ? new Llama3Template(text.BosToken, Today().Match(text.Plain) is { Success: true } found ? found.Groups[1].Value : DefaultToday)
            : null;
    }

    /// <inheritdoc/>
    public void Write(IReadOnlyList<ChatTurn> turns, ChatWriter chat)
    {
        chat.Marker(bos);
        if (today is not null)
        {
            var system = Roles.TakeSystem(ref turns);
            WriteTurn(chat, Roles.System, $"Cutting Knowledge Date: December 2023\nToday Date: {today}\n\n{system?.Trim()}");
        }

        foreach (var turn in turns)
        {
            WriteTurn(chat, turn.Role, turn.Content.Trim());
        }

        WriteHeader(chat, Roles.Assistant);
    }

    private static void WriteTurn(ChatWriter chat, string role, string content)
    {
        WriteHeader(chat, role);
        chat.Text(content).Marker(TurnEnd);
    }

    private static void WriteHeader(ChatWriter chat, string role) => chat.Marker(HeaderStart).Text(role).Marker(HeaderEnd).Text("\n\n");

    [GeneratedRegex(@"set date_string = '([^']+)'")]
    private static partial Regex Today();
}
