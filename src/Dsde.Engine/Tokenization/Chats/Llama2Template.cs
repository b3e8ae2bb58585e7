namespace Dsde.Engine.Tokenization.Chats;

/// <summary>
/// Llama 2: every question begins a text anew and stands in plain-text marks; the system turn is folded into the first question.
/// </summary>
internal sealed class Llama2Template(string bos, string eos) : IChatTemplate
{
    /// <inheritdoc/>
    public string Name => "Llama 2";

    /// <inheritdoc/>
    public IReadOnlyList<string> Markers { get; } = [bos, eos];

    /// <summary>This template, if a text is it.</summary>
    public static IChatTemplate? TryRead(TemplateText text) =>
        text.HasAll("'<<SYS>>'+system_message+'<</SYS>>'+message['content']", "{{''+content.strip()+''+eos_token}}")
        && text.Plain.Contains("{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}", StringComparison.Ordinal)
            ? new Llama2Template(text.BosToken, text.EosToken)
            : null;

    /// <inheritdoc/>
    public void Write(IReadOnlyList<ChatTurn> turns, ChatWriter chat)
    {
        var system = Roles.TakeSystem(ref turns);
        Roles.RequireAlternating(turns, Name);
        for (var i = 0; i < turns.Count; i++)
        {
            var content = i == 0 && system is not null ? $"<<SYS>>\n{system}\n<</SYS>>\n\n{turns[i].Content}" : turns[i].Content;
            if (turns[i].Role == Roles.User)
            {
                chat.Marker(bos).Text($"[INST] {content.Trim()} [/INST]");
            }
            else
            {
                chat.Text($" {content.Trim()} ").Marker(eos);
            }
        }
    }
}
