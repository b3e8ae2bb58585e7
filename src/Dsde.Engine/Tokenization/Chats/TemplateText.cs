using System.Text.Json;
using System.Text.RegularExpressions;
using Dsde.Engine.Models.Files;

namespace Dsde.Engine.Tokenization.Chats;

/// <summary>A folder's chat template, a program in Jinja, in the spellings by which known ones are recognised.</summary>
internal sealed partial class TemplateText
{
    private const string FileName = "chat_template.jinja";
    private const string DefaultName = "default";

    private TemplateText(string source, string bos, string eos)
    {
        BosToken = bos;
        EosToken = eos;
        Plain = TrimMarks()
            .Replace(source, "$1$2")
            .Replace('"', '\'')
            .Replace("\r\n", "\n", StringComparison.Ordinal)
            .Replace("\\n", "\n", StringComparison.Ordinal);
        Reduced = string.Concat(Plain.Where(character => !char.IsWhiteSpace(character)));
    }

    /// <summary>The beginning-of-text token's text, as the folder's settings name it.</summary>
    public string BosToken { get; }

    /// <summary>The end-of-text token's text, as the folder's settings name it.</summary>
    public string EosToken { get; }

    /// <summary>The template with one kind of quotes and line breaks and without trim marks: blanks in its texts still count.</summary>
    public string Plain { get; }

    /// <summary>The same without blanks and line breaks: equal for all layouts of one program.</summary>
    public string Reduced { get; }

    /// <summary>The template of a folder; null without one.</summary>
    /// <exception cref="ModelLoadException">tokenizer_config.json is broken.</exception>
    public static TemplateText? Find(string folder, TokenizerSettings settings)
    {
        var separate = Path.Combine(folder, FileName);
        var source = TokenizerReader.Guard(
            Path.Combine(folder, TokenizerSettings.FileName),
            () => File.Exists(separate) ? File.ReadAllText(separate) : FindInSettings(folder)
        );
        return source is null ? null : new TemplateText(source, settings.BosToken ?? "<s>", settings.EosToken ?? "</s>");
    }

    /// <summary>Whether all fragments occur in <see cref="Reduced"/>.</summary>
    public bool HasAll(params ReadOnlySpan<string> fragments)
    {
        foreach (var fragment in fragments)
        {
            if (!Reduced.Contains(fragment, StringComparison.Ordinal))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Either one template, or a list of which one is called default.</summary>
    private static string? FindInSettings(string folder)
    {
        var path = Path.Combine(folder, TokenizerSettings.FileName);
        return File.Exists(path)
            ? JsonSettings.Load(path).Find("chat_template") switch
            {
                { ValueKind: JsonValueKind.String } template => template.GetString(),
                { ValueKind: JsonValueKind.Array } list => list.EnumerateArray()
                    .Where(template => template.GetProperty("name").GetString() == DefaultName)
                    .Select(template => template.GetProperty("template").GetString())
                    .FirstOrDefault(),
                _ => null,
            }
            : null;
    }

    [GeneratedRegex(@"(\{[{%])-|-([%}]\})")]
    private static partial Regex TrimMarks();
}
