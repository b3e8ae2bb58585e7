using Dsde.Engine.Models;
using Dsde.Templates;

namespace Dsde.Engine.Tokenization.Chats;

/// <summary>
/// One chat template of a folder, a program in Jinja, run as transformers runs it. What it writes itself may be a special token; roles
/// aside, what a chat says never is, so that content can't pose as a turn. Safe for concurrent use.
/// </summary>
internal sealed class ChatTemplate
{
    /// <summary>The role of a tool's answer.</summary>
    public const string ToolRole = "tool";

    private const string SystemRole = "system";
    private const string Remedy = "Send a plain prompt instead of messages.";
    private const string Tools = "tools";
    private const string Documents = "documents";
    private const string Messages = "messages";
    private const long FirstNumber = 73_104_800_000; // nothing that chats speak of

    /// <summary>Chats that show which tokens a template writes as markers.</summary>
    private static readonly string[][] Probes =
    [
        ["user"],
        ["system", "user"],
        ["user", "assistant", "user"],
        ["system", "user", "assistant", "user"],
    ];

    /// <summary>What no job gives: jobs' rules refuse these.</summary>
    private static readonly string[] NotForJobs = ["continue_final_message", "chat_template", "tokenize", .. NamedTokens.ReservedNames];

    /// <summary>A template that takes more than this for a probe's few words would take far too long for a chat.</summary>
    private static readonly TemplateLimits ProbeLimits = new() { MaxSteps = 1_000_000 };

    private readonly string _model;
    private readonly string _place;
    private readonly Template? _template;
    private readonly Dictionary<string, TemplateValue> _variables = new(StringComparer.Ordinal);
    private readonly HashSet<int> _markers = [];
    private readonly List<KeyValuePair<string, string>> _missing = [];
    private ContentForms _content = ContentForms.Texts;

    private ChatTemplate(ModelFolder folder, string place, Template template, NamedTokens named, TokenizerDefinition tokenizer)
    {
        (_model, _place, _template) = (folder.Name, place, template);
        var known = tokenizer
            .AddedTokens.Where(token => token.Key < folder.Config.VocabularySize)
            .Select(token => token.Value.Text)
            .ToHashSet(StringComparer.Ordinal);
        _missing.AddRange(named.Texts.Where(token => !known.Contains(token.Value)));
        foreach (var (name, value) in named.Variables)
        {
            _variables[name] = value;
        }

        _variables[Tools] = TemplateValue.None;
        _variables[Documents] = TemplateValue.None;
        _variables["add_generation_prompt"] = TemplateValue.Of(true);
    }

    private ChatTemplate(string model, string place, string whyNot) => (_model, _place, WhyNot) = (model, place, whyNot);

    /// <summary>Why it can't be run; null if it can.</summary>
    public string? WhyNot { get; }

    /// <summary>Parses a template. One that can't be run refuses all chats, and the folder gets a note.</summary>
    /// <param name="folder">The model's folder.</param>
    /// <param name="place">The file it is in, for people.</param>
    /// <param name="source">Its text.</param>
    /// <param name="named">Special tokens that it knows by name.</param>
    /// <param name="tokenizer">The tokens there are.</param>
    public static ChatTemplate Load(ModelFolder folder, string place, string source, NamedTokens named, TokenizerDefinition tokenizer)
    {
        string cause;
        try
        {
            var template = new ChatTemplate(folder, place, Template.Parse(source), named, tokenizer);
            template._content = ContentForms.Find((content, turns) => template.Probe(content, turns)?.Value);
            if (template.FindMarkers(tokenizer) is not { } missing)
            {
                return template;
            }

            cause = missing;
        }
        catch (TemplateException exception)
        {
            cause = Locate(exception);
        }

        folder.Warn($"The chat template of {place} can't be run: {cause}. Chats are refused; plain prompts work.");
        return new ChatTemplate(folder.Name, place, cause);
    }

    /// <summary>Whether an id is a token that the template writes between turns, special or not.</summary>
    public bool IsMarker(int id) => _markers.Contains(id);

    /// <summary>A chat up to where the assistant's answer begins.</summary>
    /// <exception cref="ChatRefusedException">The template can't be run, or refuses such a chat, or would not show the model all of
    /// it.</exception>
    public RenderedText Render(IReadOnlyList<ChatTurn> turns, ChatInputs inputs, TimeProvider time)
    {
        if (_template is not { } template)
        {
            throw new ChatRefusedException($"The chat template of model {_model} ({_place}) can't be run: {WhyNot}. {Remedy}");
        }

        RequireRead(template, inputs);
        var now = new FrozenTime(time);
        RenderedText text;
        ArgumentForm form;
        try
        {
            (text, form) = RenderEitherWay(template, turns, inputs, now);
        }
        catch (TemplateException exception)
        {
            throw new ChatRefusedException(
                exception.IsRaisedByTemplate
                    ? $"The chat template of model {_model} refuses this chat: {exception.Message}"
                    : $"The chat template of model {_model} goes wrong with this chat ({Locate(exception)}). {Remedy}",
                innerException: exception
            );
        }

        RequireSeen(template, text.Value, turns, inputs, form, now);
        return FindMissing(text) is { } missing
                ? throw new ChatRefusedException($"The chat template of model {_model}: {missing}. {Remedy}")
            : text.Value.Length == 0 ? throw new ChatRefusedException($"The chat template of model {_model} makes nothing of this chat.")
            : text;
    }

    private static string Locate(TemplateException exception) =>
        (exception.Line is { } line ? $"line {line}: " : "") + exception.Message.TrimEnd('.');

    /// <summary>What it makes of a few words; null if it goes wrong with them.</summary>
    /// <exception cref="TemplateException">It takes far too much.</exception>
    private RenderedText? Probe(ContentForms content, IEnumerable<ChatTurn> turns)
    {
        try
        {
            // Of the clock a template makes dates, no markers.
            var messages = new ChatValues(content, ArgumentForm.Object).Messages(turns);
            return Run(_template!, messages, ChatInputs.None, TimeProvider.System, ProbeLimits);
        }
        catch (TemplateException exception) when (!exception.IsLimit)
        {
            return null;
        }
    }

    /// <summary>Runs the probes. Returns what makes the template useless, if they show that.</summary>
    /// <exception cref="TemplateException">It takes far too much.</exception>
    private string? FindMarkers(TokenizerDefinition tokenizer)
    {
        var tokens = new AddedTokenSplitter(tokenizer.AddedTokens);
        foreach (var roles in Probes)
        {
            if (Probe(_content, roles.Select(role => new ChatTurn(role, "x"))) is not { } text)
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

    /// <summary>Variables that a template does not read would be lost without a word, and its own must stay its own.</summary>
    private void RequireRead(Template template, ChatInputs inputs)
    {
        var known = template
            .Inputs.Where(name => name != Messages && !_variables.ContainsKey(name) && !NotForJobs.Contains(name))
            .Order(StringComparer.Ordinal)
            .ToList();
        if (inputs.Variables.Keys.FirstOrDefault(name => !known.Contains(name, StringComparer.Ordinal)) is { } unknown)
        {
            throw new ChatRefusedException(
                $"The chat template of model {_model} takes no variable '{unknown}'; it takes "
                    + (known.Count == 0 ? "none" : string.Join(", ", known))
                    + ". Correct the name, or leave it out.",
                ChatPart.Variables
            );
        }
    }

    /// <summary>
    /// What makes no difference to the prompt the model would never see, and nobody would learn of it: a chat without it makes the same. Of
    /// a system turn one with other words does, since without one a template may write the very same by itself.
    /// </summary>
    private void RequireSeen(
        Template template,
        string text,
        IReadOnlyList<ChatTurn> turns,
        ChatInputs inputs,
        ArgumentForm form,
        TimeProvider time
    )
    {
        var values = new ChatValues(_content, form);
        (string What, bool IsThere, Func<(TemplateValue Messages, ChatInputs Inputs)> Without, ChatPart Part)[] parts =
        [
            ("tools", inputs.Tools.Count > 0, () => (values.Messages(turns), inputs with { Tools = [] }), ChatPart.Tools),
            ("documents", inputs.Documents.Count > 0, () => (values.Messages(turns), inputs with { Documents = [] }), ChatPart.Documents),
            (
                "the assistant's calls of tools",
                turns.Any(turn => turn.ToolCalls is { Count: > 0 }),
                () => (values.Messages(turns, withCalls: false), inputs),
                ChatPart.Turns
            ),
            (
                $"the turns of role {ToolRole}",
                turns.Any(turn => turn.Role == ToolRole),
                () => (values.Messages(turns.Where(turn => turn.Role != ToolRole)), inputs),
                ChatPart.Turns
            ),
            .. FindDoubtful(template, text, values, turns, inputs, time)
                .Select(place =>
                    ($"what turn {place + 1}, of role {SystemRole}, says", true, ReplaceWords(values, turns, place, inputs), ChatPart.Turns)
                ),
        ];
        foreach (var (what, _, without, part) in parts.Where(part => part.IsThere))
        {
            var (messages, others) = without();
            if (MakesOf(template, messages, others, time) == text)
            {
                throw new ChatRefusedException(
                    $"The chat template of model {_model} makes the same prompt of this chat without {what}: the model would not see them. "
                        + "Leave them out, or use a model whose template shows them.",
                    part
                );
            }
        }
    }

    /// <summary>
    /// System turns of which one more rendering, with a number of its own at the end of each, does not show that they are seen: one
    /// rendering for each would take hours for a chat of thousands.
    /// </summary>
    private IReadOnlyList<int> FindDoubtful(
        Template template,
        string text,
        ChatValues values,
        IReadOnlyList<ChatTurn> turns,
        ChatInputs inputs,
        TimeProvider time
    )
    {
        var numbers = Enumerable
            .Range(0, turns.Count)
            .Where(place => turns[place].Role == SystemRole && !string.IsNullOrWhiteSpace(turns[place].Content))
            .ToDictionary(place => place, place => $"{FirstNumber + place}");
        var numbered = turns.Select(
            (turn, place) => numbers.TryGetValue(place, out var number) ? turn with { Content = turn.Content + number } : turn
        );
        return numbers.Count > 1 && MakesOf(template, values.Messages(numbered), inputs, time) is { } shown
            ?
            [
                .. numbers
                    .Where(turn =>
                        !shown.Contains(turn.Value, StringComparison.Ordinal) || text.Contains(turn.Value, StringComparison.Ordinal)
                    )
                    .Select(turn => turn.Key),
            ]
            : [.. numbers.Keys];
    }

    private static Func<(TemplateValue Messages, ChatInputs Inputs)> ReplaceWords(
        ChatValues values,
        IReadOnlyList<ChatTurn> turns,
        int place,
        ChatInputs inputs
    ) => () => (values.Messages(turns.Select((turn, index) => index == place ? turn with { Content = turn.Content + "x" } : turn)), inputs);

    /// <summary>What the template makes; null if it refuses.</summary>
    private string? MakesOf(Template template, TemplateValue messages, ChatInputs inputs, TimeProvider time)
    {
        try
        {
            return Run(template, messages, inputs, time).Value;
        }
        catch (TemplateException)
        {
            return null;
        }
    }

    /// <summary>Arguments of calls as objects; as texts for a template that goes wrong with those, or shows them as they are.</summary>
    private (RenderedText Text, ArgumentForm Form) RenderEitherWay(
        Template template,
        IReadOnlyList<ChatTurn> turns,
        ChatInputs inputs,
        TimeProvider time
    )
    {
        var hasCalls = turns.Any(turn => turn.ToolCalls is { Count: > 0 });
        try
        {
            var text = Render(ArgumentForm.Object);
            return hasCalls && ShowsObjects(template, turns, inputs, time) && TryRender(ArgumentForm.Text) is { } other
                ? (other, ArgumentForm.Text)
                : (text, ArgumentForm.Object);
        }
        catch (TemplateException exception) when (exception is { IsRaisedByTemplate: false, IsLimit: false } && hasCalls)
        {
            try
            {
                return (Render(ArgumentForm.Text), ArgumentForm.Text);
            }
            catch (TemplateException other) when (!other.IsRaisedByTemplate)
            {
                throw exception;
            }
        }

        RenderedText Render(ArgumentForm form) => Run(template, new ChatValues(_content, form).Messages(turns), inputs, time);

        RenderedText? TryRender(ArgumentForm form)
        {
            try
            {
                return Render(form);
            }
            catch (TemplateException)
            {
                return null;
            }
        }
    }

    /// <summary>Whether it writes arguments that are objects as Python shows objects, which is no JSON.</summary>
    private bool ShowsObjects(Template template, IReadOnlyList<ChatTurn> turns, ChatInputs inputs, TimeProvider time)
    {
        var probes = turns.Select(turn => turn.ToolCalls is { } calls ? turn with { ToolCalls = [.. calls.Select(CallProbe.Of)] } : turn);
        return MakesOf(template, new ChatValues(_content, ArgumentForm.Object).Messages(probes), inputs, time)
            ?.Contains(CallProbe.Shown, StringComparison.Ordinal)
            is true;
    }

    private RenderedText Run(Template template, TemplateValue messages, ChatInputs inputs, TimeProvider time, TemplateLimits? limits = null)
    {
        var variables = new Dictionary<string, TemplateValue>(_variables, StringComparer.Ordinal)
        {
            [Messages] = messages,
            [Tools] = ChatValues.List(inputs.Tools),
            [Documents] = ChatValues.List(inputs.Documents),
        };
        foreach (var (name, value) in inputs.Variables)
        {
            variables[name] = TemplateValue.FromData(value);
        }

        return template.Render(variables, time, limits);
    }
}
