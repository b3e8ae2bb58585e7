namespace Dsde.Engine.Tokenization.Chats;

/// <summary>
/// Gemma: the assistant is called model, content is trimmed. Gemma 2 refuses a system turn; Gemma 3 puts it before the first question.
/// </summary>
internal sealed class GemmaTemplate(string bos, bool foldsSystem) : IChatTemplate
{
    private const string TurnStart = "<start_of_turn>";
    private const string TurnEnd = "<end_of_turn>";
    private const string Model = "model";

    /// <inheritdoc/>
    public string Name => foldsSystem ? "Gemma 3" : "Gemma 2";

    /// <inheritdoc/>
    public IReadOnlyList<string> Markers { get; } = [bos, TurnStart, TurnEnd];

    /// <summary>This template, if a text is it.</summary>
    public static IChatTemplate? TryRead(TemplateText text)
    {
        if (
            !text.HasAll(
                "{{bos_token}}",
                "'<start_of_turn>'+role+''",
                "message['content']|trim",
                "setrole='model'",
                "{{'<start_of_turn>model'}}"
            )
        )
        {
            return null;
        }

        var folds = text.HasAll("first_user_prefixifloop.first");
        return folds || text.HasAll("raise_exception('Systemrolenotsupported')") ? new GemmaTemplate(text.BosToken, folds) : null;
    }

    /// <inheritdoc/>
    public void Write(IReadOnlyList<ChatTurn> turns, ChatWriter chat)
    {
        var system = Roles.TakeSystem(ref turns);
        if (system is not null && !foldsSystem)
        {
            throw new NotSupportedException($"{Name} has no system turn; put its content into the first user turn.");
        }

        Roles.RequireAlternating(turns, Name);
        chat.Marker(bos);
        for (var i = 0; i < turns.Count; i++)
        {
            var prefix = i == 0 && system is not null ? system + "\n\n" : "";
            chat.Marker(TurnStart)
                .Text($"{(turns[i].Role == Roles.Assistant ? Model : turns[i].Role)}\n{prefix}{turns[i].Content.Trim()}")
                .Marker(TurnEnd)
                .Text("\n");
        }

        chat.Marker(TurnStart).Text(Model + "\n");
    }
}
