using Dsde.Engine.Models;
using Dsde.Templates;

namespace Dsde.Engine.Tokenization.Chats;

/// <summary>
/// How a model wants chats: the folder's own template, a program in Jinja, is run as transformers runs it. What it writes itself may be a
/// special token; roles aside, what a chat says never is, so that content can't pose as a turn. Safe for concurrent use.
/// </summary>
internal sealed class ChatTemplate
{
    private const string Remedy = "Send a plain prompt instead of messages.";

    /// <summary>The roles that templates know. Templates make markers of them (<c>'&lt;|' + role + '|>'</c>), and no sender can write
    /// anything else into one of these.</summary>
    private static readonly string[] Roles = ["system", "user", "assistant"];

    /// <summary>Chats that show which tokens a template writes as markers.</summary>
    private static readonly string[][] Probes =
    [
        ["user"],
        ["system", "user"],
        ["user", "assistant", "user"],
        ["system", "user", "assistant", "user"],
    ];

    private readonly string _model;
    private readonly string? _whyNot;
    private readonly Template? _template;
    private readonly Dictionary<string, TemplateValue> _variables = new(StringComparer.Ordinal);
    private readonly HashSet<int> _markers = [];
    private readonly List<KeyValuePair<string, string>> _missing = [];

    private ChatTemplate(string model, string description, string whyNot)
    {
        (_model, Description) = (model, description);
        _whyNot = $"{whyNot} {Remedy}";
    }

    private ChatTemplate(ModelFolder folder, string fileName, Template template, NamedTokens named, TokenizerDefinition tokenizer)
    {
        (_model, Description, _template) = (folder.Name, $"chat template of {fileName}", template);
        var known = tokenizer
            .AddedTokens.Where(token => token.Key < folder.Config.VocabularySize)
            .Select(token => token.Value.Text)
            .ToHashSet(StringComparer.Ordinal);
        _missing.AddRange(named.Texts.Where(token => !known.Contains(token.Value)));
        foreach (var (name, value) in named.Variables)
        {
            _variables[name] = value;
        }

        _variables["tools"] = TemplateValue.None;
        _variables["documents"] = TemplateValue.None;
        _variables["add_generation_prompt"] = TemplateValue.Of(true);
    }

    /// <summary>Where the template is, or that there is none, or why it can't be run: a few words for people.</summary>
    public string Description { get; }

    /// <summary>Finds and parses the template of a folder.</summary>
    /// <exception cref="ModelLoadException">A file is broken.</exception>
    public static ChatTemplate Load(ModelFolder folder, TokenizerDefinition tokenizer)
    {
        if (TemplateSource.Find(folder.Path) is not { } source)
        {
            return new ChatTemplate(folder.Name, "chat template none", $"Model {folder.Name} has no chat template.");
        }

        if (source.Text is not { } text)
        {
            return Refusing(folder, source, $"there are {string.Join(", ", source.Names)}, but none is called default");
        }

        try
        {
            var template = new ChatTemplate(folder, source.FileName, Template.Parse(text), NamedTokens.Read(folder.Path), tokenizer);
            return template.FindMarkers(tokenizer) is { } missing ? Refusing(folder, source, missing) : template;
        }
        catch (TemplateException exception)
        {
            return Refusing(folder, source, Locate(exception));
        }
    }

    /// <summary>Whether an id is a token that the template writes between turns, special or not.</summary>
    public bool IsMarker(int id) => _markers.Contains(id);

    /// <summary>A chat up to where the assistant's answer begins.</summary>
    /// <exception cref="NotSupportedException">The model has no template, or one that can't be run, or one that refuses such a
    /// chat.</exception>
    public RenderedText Render(IReadOnlyList<ChatTurn> turns, TimeProvider time)
    {
        if (_template is not { } template)
        {
            throw new NotSupportedException(_whyNot);
        }

        RenderedText text;
        try
        {
            text = Run(template, turns, time);
        }
        catch (TemplateException exception)
        {
            throw new NotSupportedException(
                exception.IsRaisedByTemplate
                    ? $"The chat template of model {_model} refuses this chat: {exception.Message}"
                    : $"The chat template of model {_model} goes wrong with this chat ({Locate(exception)}). {Remedy}",
                exception
            );
        }

        return FindMissing(text) is { } missing
                ? throw new NotSupportedException($"The chat template of model {_model}: {missing}. {Remedy}")
            : text.Value.Length == 0 ? throw new NotSupportedException($"The chat template of model {_model} makes nothing of this chat.")
            : text;
    }

    private static ChatTemplate Refusing(ModelFolder folder, TemplateSource source, string cause)
    {
        folder.Warn($"The chat template of {source.FileName} can't be run: {cause}. Chats are refused; plain prompts work.");
        return new ChatTemplate(
            folder.Name,
            $"chat template none ({source.FileName}: {cause})",
            $"The chat template of model {folder.Name} ({source.FileName}) can't be run: {cause}."
        );
    }

    private static string Locate(TemplateException exception) =>
        (exception.Line is { } line ? $"line {line}: " : "") + exception.Message.TrimEnd('.');

    /// <summary>Runs the probes. Returns what makes the template useless, if they show that.</summary>
    private string? FindMarkers(TokenizerDefinition tokenizer)
    {
        var tokens = new AddedTokenSplitter(tokenizer.AddedTokens);
        foreach (var roles in Probes)
        {
            RenderedText text;
            try
            {
                // Of the clock a template makes dates, no markers.
                text = Run(_template!, [.. roles.Select(role => new ChatTurn(role, "x"))], TimeProvider.System);
            }
            catch (TemplateException)
            {
                continue; // Some refuse system turns; what they refuse writes nothing.
            }

            if (FindMissing(text) is { } missing)
            {
                return missing;
            }

            _markers.UnionWith(
                tokens.Split(text.Value, (_, start, length) => text.IsFromTemplate(start, length)).Select(part => part.Id).OfType<int>()
            );
        }

        return null;
    }

    /// <summary>A special token that the template writes by its name and the tokenizer does not have would silently become text.</summary>
    private string? FindMissing(RenderedText text)
    {
        foreach (var (name, token) in _missing)
        {
            for (var i = 0; (i = text.Value.IndexOf(token, i, StringComparison.Ordinal)) >= 0; i++)
            {
                if (text.IsFromTemplate(i, token.Length))
                {
                    return $"it needs the {name} '{token}', which the model has no row for";
                }
            }
        }

        return null;
    }

    private RenderedText Run(Template template, IReadOnlyList<ChatTurn> turns, TimeProvider time) =>
        template.Render(
            new Dictionary<string, TemplateValue>(_variables, StringComparer.Ordinal)
            {
                ["messages"] = TemplateValue.OfItems(turns.Select(turn => Message(turn, template.Content))),
            },
            time
        );

    private static TemplateValue Message(ChatTurn turn, ContentUse use)
    {
        var text = TemplateValue.FromData(turn.Content);
        return TemplateValue.OfFields([
            (
                "role",
                Roles.Contains(turn.Role, StringComparer.Ordinal)
                    ? TemplateValue.FromTemplate(turn.Role)
                    : TemplateValue.FromData(turn.Role)
            ),
            (
                "content",
                use == ContentUse.Parts
                    ? TemplateValue.OfItems([TemplateValue.OfFields([("type", TemplateValue.FromTemplate("text")), ("text", text)])])
                    : text
            ),
        ]);
    }
}
