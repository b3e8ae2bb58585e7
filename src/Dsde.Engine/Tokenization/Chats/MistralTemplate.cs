namespace Dsde.Engine.Tokenization.Chats;

/// <summary>
/// Mistral: questions in <c>[INST]</c> marks, which are plain text up to the second tokenizer version and tokens from the third on. The
/// versions differ in their spaces and in where the system turn goes.
/// </summary>
internal sealed class MistralTemplate : IChatTemplate
{
    private const string QuestionStart = "[INST]";
    private const string QuestionEnd = "[/INST]";

    private readonly string _bos,
        _eos;

    private MistralTemplate(string name, TemplateText text)
    {
        Name = name;
        _bos = text.BosToken;
        _eos = text.EosToken;
        Markers = [_bos, _eos];
    }

    private enum SystemPlace
    {
        Nowhere,
        FirstQuestion,
        LastQuestion,
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> Markers { get; }

    private string BeforeStart { get; init; } = "";

    private string BehindStart { get; init; } = "";

    private string BeforeEnd { get; init; } = "";

    private string BeforeAnswer { get; init; } = "";

    private string BehindAnswer { get; init; } = "";

    private bool TrimsAnswers { get; init; }

    private SystemPlace System { get; init; }

    /// <summary>This template, if a text is it.</summary>
    public static IChatTemplate? TryRead(TemplateText text)
    {
        if (!text.Plain.Contains(QuestionStart, StringComparison.Ordinal) || text.HasAll("<<SYS>>") || !text.HasAll("{{bos_token}}"))
        {
            return null;
        }

        var trims = text.HasAll("message['content']|trim+eos_token");
        if (Has(text, "'[INST] ' + message['content'] + ' [/INST]'") && Has(text, "{{ message['content'] + eos_token"))
        {
            return new MistralTemplate("Mistral v1", text)
            {
                BehindStart = " ",
                BeforeEnd = " ",
                BehindAnswer = text.HasAll("eos_token+''") ? " " : "",
            };
        }

        if (
            Has(text, "' [INST] ' + system_message + '\n\n' + message['content'] + ' [/INST]'")
            && Has(text, "{{ ' ' + message['content'] + eos_token")
        )
        {
            return new MistralTemplate("Mistral v1", text)
            {
                BeforeStart = " ",
                BehindStart = " ",
                BeforeEnd = " ",
                BeforeAnswer = " ",
                System = SystemPlace.FirstQuestion,
            };
        }

        if (!text.HasAll("loop.lastandsystem_messageisdefined"))
        {
            return null;
        }

        if (Has(text, "'[INST] ' + system_message + '\n\n' + message['content'] + '[/INST]'") && Has(text, "{{ ' ' + message['content']"))
        {
            return new MistralTemplate("Mistral v3", text)
            {
                BehindStart = " ",
                BeforeAnswer = " ",
                TrimsAnswers = trims,
                System = SystemPlace.LastQuestion,
            };
        }

        return Has(text, "'[INST]' + system_message + '\n\n' + message['content'] + '[/INST]'") && Has(text, "{{ message['content']")
            ? new MistralTemplate("Mistral v3 (Tekken)", text) { TrimsAnswers = trims, System = SystemPlace.LastQuestion }
            : null;
    }

    /// <inheritdoc/>
    public void Write(IReadOnlyList<ChatTurn> turns, ChatWriter chat)
    {
        var system = Roles.TakeSystem(ref turns);
        if (system is not null && System == SystemPlace.Nowhere)
        {
            throw new NotSupportedException($"{Name} has no system turn; put its content into the first user turn.");
        }

        Roles.RequireAlternating(turns, Name);
        chat.Marker(_bos);
        for (var i = 0; i < turns.Count; i++)
        {
            var content = turns[i].Content;
            if (turns[i].Role == Roles.Assistant)
            {
                chat.Text(BeforeAnswer + (TrimsAnswers ? content.Trim() : content)).Marker(_eos).Text(BehindAnswer);
                continue;
            }

            var holdsSystem = system is not null && i == (System == SystemPlace.FirstQuestion ? 0 : turns.Count - 1);
            chat.Text(BeforeStart)
                .MarkerOrText(QuestionStart)
                .Text(BehindStart + (holdsSystem ? $"{system}\n\n{content}" : content) + BeforeEnd)
                .MarkerOrText(QuestionEnd);
        }
    }

    private static bool Has(TemplateText text, string fragment) => text.Plain.Contains(fragment, StringComparison.Ordinal);
}
