using Dsde.Engine.Models;

namespace Dsde.Engine.Tokenization.Chats;

/// <summary>
/// How a model wants chats. Templates are programs in Jinja; the known ones are recognised and done in code, others are refused when a chat
/// comes, because a chat in the wrong form is silent nonsense. Markers become special ids and content never does, so that content can't
/// pose as a turn.
/// </summary>
internal sealed class ChatTemplate
{
    private readonly string? _whyNot;
    private readonly IChatTemplate? _template;
    private readonly IReadOnlyDictionary<string, int> _markers;
    private readonly HashSet<int> _markerIds;

    private ChatTemplate(string? whyNot, IChatTemplate? template, IReadOnlyDictionary<string, int> markers)
    {
        _whyNot = whyNot;
        _template = template;
        _markers = markers;
        _markerIds = [.. template?.Markers.Select(marker => markers[marker]) ?? []];
    }

    /// <summary>Name of the template; null if chats are refused.</summary>
    public string? Name => _template?.Name;

    /// <summary>Finds the template of a folder.</summary>
    /// <exception cref="ModelLoadException">tokenizer_config.json is broken.</exception>
    public static ChatTemplate Load(ModelFolder folder, TokenizerDefinition tokenizer)
    {
        if (TemplateText.Find(folder.Path, tokenizer.Settings) is not { } text)
        {
            return Refusing($"Model {folder.Name} has no chat template. Send a plain prompt instead of messages.");
        }

        var template = ChatTemplates.TryRead(text);
        var special = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (
            var (id, token) in tokenizer.AddedTokens.Where(token =>
                token.Value.IsSpecial || template?.Markers.Contains(token.Value.Text) == true
            )
        )
        {
            special[token.Text] = id;
        }

        if (template is null)
        {
            return Refusing(
                $"The chat template of model {folder.Name} is not known (known: {ChatTemplates.Known}). Apply it yourself and send a "
                    + "plain prompt instead of messages."
            );
        }

        var missing = template.Markers.Where(marker => !special.ContainsKey(marker)).ToList();
        return missing.Count == 0
            ? new ChatTemplate(null, template, special)
            : Refusing(
                $"The chat template of model {folder.Name} needs the token '{missing[0]}', which its tokenizer does not have. Send a "
                    + "plain prompt instead of messages."
            );
    }

    /// <summary>Whether an id is a marker of the template, special or not.</summary>
    public bool IsMarker(int id) => _markerIds.Contains(id);

    /// <summary>Ids of a chat, up to where the assistant's answer begins.</summary>
    /// <exception cref="NotSupportedException">The model has no template, or one that is not known, or one with no form for such a
    /// chat.</exception>
    public IReadOnlyList<int> Render(IReadOnlyList<ChatTurn> turns, Tokenizer tokenizer)
    {
        if (_template is null)
        {
            throw new NotSupportedException(_whyNot);
        }

        var chat = new ChatWriter(tokenizer, _markers);
        _template.Write(turns, chat);
        return chat.Finish();
    }

    private static ChatTemplate Refusing(string whyNot) => new(whyNot, null, new Dictionary<string, int>());
}
