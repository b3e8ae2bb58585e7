using System.Text.Json;
using Dsde.Engine.Models;

namespace Dsde.Engine.Tokenization;

/// <summary>
/// How a model wants chats. Templates are programs in Jinja; the known ones are recognised and done in code, others are refused when a chat comes,
/// because a chat in the wrong form is silent nonsense. Markers become special ids and content never does, so that content can't pose as a turn.
/// </summary>
internal sealed class ChatTemplate
{
    private const string ConfigFileName = "tokenizer_config.json";
    private const string TemplateFileName = "chat_template.jinja";
    private const string TurnStart = "<|im_start|>";
    private const string TurnEnd = "<|im_end|>";

    /// <summary>ChatML without blanks and line breaks, as <see cref="Reduce"/> leaves it.</summary>
    private const string ReducedChatMl =
        "{%formessageinmessages%}{{'<|im_start|>'+message['role']+''+message['content']+'<|im_end|>'+''}}{%endfor%}"
        + "{%ifadd_generation_prompt%}{{'<|im_start|>assistant'}}{%endif%}";

    private readonly string? _whyNot;
    private readonly int _turnStartId;
    private readonly int _turnEndId;

    private ChatTemplate(string? whyNot, int turnStartId, int turnEndId)
    {
        _whyNot = whyNot;
        _turnStartId = turnStartId;
        _turnEndId = turnEndId;
    }

    /// <summary>Finds the template of a folder.</summary>
    public static ChatTemplate Load(ModelFolder folder, TokenizerDefinition tokenizer)
    {
        if (FindTemplate(folder.Path) is not { } template)
        {
            return Refusing($"Model {folder.Name} has no chat template. Send a plain prompt instead of messages.");
        }

        var ids = tokenizer.AddedTokens.ToLookup(added => added.Value.Text, added => added.Key);
        return Reduce(template) == ReducedChatMl && ids[TurnStart].Any() && ids[TurnEnd].Any()
            ? new ChatTemplate(null, ids[TurnStart].First(), ids[TurnEnd].First())
            : Refusing($"The chat template of model {folder.Name} is not known (ChatML is). Apply it yourself and send a plain prompt instead of messages.");
    }

    /// <summary>Ids of a chat, up to where the assistant's answer begins.</summary>
    /// <exception cref="NotSupportedException">The model has no template, or one that is not known.</exception>
    public IReadOnlyList<int> Render(IReadOnlyList<ChatTurn> turns, Func<string, IReadOnlyList<int>> encode)
    {
        if (_whyNot is not null)
        {
            throw new NotSupportedException(_whyNot);
        }

        var ids = new List<int>();
        foreach (var turn in turns)
        {
            ids.Add(_turnStartId);
            ids.AddRange(encode(turn.Role + "\n" + turn.Content));
            ids.Add(_turnEndId);
            ids.AddRange(encode("\n"));
        }

        ids.Add(_turnStartId);
        ids.AddRange(encode("assistant\n"));
        return ids;
    }

    private static ChatTemplate Refusing(string whyNot) => new(whyNot, -1, -1);

    private static string? FindTemplate(string folder)
    {
        var separate = Path.Combine(folder, TemplateFileName);
        if (File.Exists(separate))
        {
            return File.ReadAllText(separate);
        }

        var config = Path.Combine(folder, ConfigFileName);
        return File.Exists(config) && JsonSettings.Load(config).Find("chat_template") is { ValueKind: JsonValueKind.String } template ? template.GetString() : null;
    }

    /// <summary>The same for all spellings of one template: blanks, line breaks, kinds of quotes and trim marks don't count.</summary>
    private static string Reduce(string template) =>
        string.Concat(template.Where(character => !char.IsWhiteSpace(character)))
            .Replace("\\n", "", StringComparison.Ordinal).Replace('"', '\'')
            .Replace("-%}", "%}", StringComparison.Ordinal).Replace("{%-", "{%", StringComparison.Ordinal).Replace("{{-", "{{", StringComparison.Ordinal).Replace("-}}", "}}", StringComparison.Ordinal);
}
