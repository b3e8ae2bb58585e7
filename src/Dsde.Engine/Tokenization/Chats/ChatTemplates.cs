using Dsde.Engine.Models;
using Dsde.Templates;

namespace Dsde.Engine.Tokenization.Chats;

/// <summary>
/// How a model wants chats: one of the folder's own templates is run, as transformers chooses it. Safe for concurrent use.
/// </summary>
internal sealed class ChatTemplates
{
    /// <summary>Template for chats with tools, where a folder has one.</summary>
    private const string ForTools = "tool_use";

    /// <summary>Template for chats with documents, where a folder has one.</summary>
    private const string ForDocuments = "rag";

    private const string Remedy = "Send a plain prompt instead of messages.";

    private readonly Dictionary<string, ChatTemplate> _templates = new(StringComparer.Ordinal);
    private readonly string _whyNoDefault;

    private ChatTemplates(string description, string whyNoDefault) => (Description, _whyNoDefault) = (description, whyNoDefault);

    /// <summary>Where the template is, or that there is none, or why it can't be run: a few words for people.</summary>
    public string Description { get; private set; }

    /// <summary>Templates of a model that nobody chats with.</summary>
    public static ChatTemplates None { get; } = new("", "Chats are for the target model.");

    /// <summary>Finds and parses the templates of a folder.</summary>
    /// <exception cref="ModelLoadException">A file is broken.</exception>
    public static ChatTemplates Load(ModelFolder folder, TokenizerDefinition tokenizer)
    {
        if (TemplateSource.Find(folder.Path) is not { } source)
        {
            return new ChatTemplates("chat template none", $"Model {folder.Name} has no chat template. {Remedy}");
        }

        var names = string.Join(", ", source.Templates.Keys.Order(StringComparer.Ordinal));
        var found = new ChatTemplates(
            $"chat template none ({source.Place}: there are {names}, but none is called {TemplateSource.DefaultName})",
            $"The chat template of model {folder.Name} ({source.Place}) can't be run: there are {names}, but none is called "
                + $"{TemplateSource.DefaultName}. {Remedy}"
        );
        var named = NamedTokens.Read(folder.Path);
        foreach (var (name, (file, text)) in source.Templates)
        {
            if (name is TemplateSource.DefaultName or ForTools or ForDocuments)
            {
                found.Add(name, file, ChatTemplate.Load(folder, file, text, named, tokenizer));
            }
        }

        if (!found._templates.ContainsKey(TemplateSource.DefaultName))
        {
            folder.Warn($"{source.Place} has the chat templates {names}, but none is called {TemplateSource.DefaultName}.");
        }

        return found;
    }

    /// <summary>Whether an id is a token that a template writes between turns, special or not.</summary>
    public bool IsMarker(int id) => _templates.Values.Any(template => template.IsMarker(id));

    /// <summary>A chat up to where the assistant's answer begins.</summary>
    /// <exception cref="ChatRefusedException">The model has no template for such a chat, or one that can't be run, or one that refuses it
    /// or would not show the model all of it.</exception>
    public RenderedText Render(IReadOnlyList<ChatTurn> turns, ChatInputs inputs, TimeProvider time)
    {
        string[] wanted =
        [
            .. inputs.Tools.Count > 0 ? [ForTools] : Array.Empty<string>(),
            .. inputs.Documents.Count > 0 ? [ForDocuments] : Array.Empty<string>(),
            TemplateSource.DefaultName,
        ];
        var name = wanted.FirstOrDefault(_templates.ContainsKey) ?? throw new ChatRefusedException(_whyNoDefault);
        return _templates[name].Render(turns, inputs, time);
    }

    private void Add(string name, string file, ChatTemplate template)
    {
        _templates[name] = template;
        if (name == TemplateSource.DefaultName)
        {
            Description = template.WhyNot is { } cause ? $"chat template none ({file}: {cause})" : $"chat template of {file}";
        }
    }
}
