using System.Text;
using System.Text.Json;
using Dsde.Engine.Models;
using Dsde.Engine.Models.Files;

namespace Dsde.Engine.Tokenization.Chats;

/// <summary>
/// Where a folder keeps its chat templates. Files of their own go before tokenizer_config.json; one without a name is called default.
/// </summary>
/// <param name="Place">The file or folder, for people.</param>
/// <param name="Templates">The templates there, by name: the file that each is in, and its text.</param>
internal sealed record TemplateSource(string Place, IReadOnlyDictionary<string, (string File, string Text)> Templates)
{
    /// <summary>The template for plain chats, as in transformers.</summary>
    public const string DefaultName = "default";

    private const string DefaultFile = "chat_template.jinja";
    private const string OthersFolder = "additional_chat_templates";
    private const string Extension = ".jinja";
    private const string SettingsKey = "chat_template";

    /// <summary>The templates of a folder; null without any.</summary>
    /// <exception cref="ModelLoadException">A file can't be read or is broken.</exception>
    public static TemplateSource? Find(string folder) =>
        FindFiles(folder) ?? FindInSettings(Path.Combine(folder, TokenizerSettings.FileName));

    private static TemplateSource? FindFiles(string folder)
    {
        var files = new Dictionary<string, string>(StringComparer.Ordinal);
        var main = Path.Combine(folder, DefaultFile);
        if (ModelFile.Exists(main))
        {
            files[DefaultName] = main;
        }

        var others = Path.Combine(folder, OthersFolder);
        if (ModelFile.Exists(others) && ModelFile.ExplainLinks(others) is { } broken)
        {
            throw new ModelLoadException(broken);
        }

        foreach (var file in Directory.Exists(others) ? Directory.EnumerateFileSystemEntries(others, "*" + Extension) : [])
        {
            files.TryAdd(Path.GetFileNameWithoutExtension(file), file);
        }

        return files.Count == 0
            ? null
            : new TemplateSource(
                OthersFolder,
                files.ToDictionary(
                    file => file.Key,
                    file => (Path.GetRelativePath(folder, file.Value), ReadText(file.Value)),
                    StringComparer.Ordinal
                )
            );
    }

    /// <summary>Either one template, or several with names: a list, or an object by name.</summary>
    private static TemplateSource? FindInSettings(string path) =>
        TokenizerReader.Guard(
            path,
            () =>
            {
                if (!ModelFile.Exists(path) || JsonSettings.Load(path).Find(SettingsKey) is not { } found)
                {
                    return null;
                }

                var templates = new Dictionary<string, (string, string)>(StringComparer.Ordinal);
                IEnumerable<(string? Name, string? Text)> named = found.ValueKind switch
                {
                    JsonValueKind.String => [(DefaultName, found.GetString())],
                    JsonValueKind.Object => found.EnumerateObject().Select(entry => ((string?)entry.Name, entry.Value.GetString())),
                    JsonValueKind.Array => found
                        .EnumerateArray()
                        .Select(entry => (entry.GetProperty("name").GetString(), entry.GetProperty("template").GetString())),
                    _ => throw new FormatException($"\"{SettingsKey}\" has to be a text, or a list of named ones."),
                };
                foreach (var (name, text) in named)
                {
                    templates[name ?? ""] = (TokenizerSettings.FileName, text ?? "");
                }

                return templates.Count == 0 ? null : new TemplateSource(TokenizerSettings.FileName, templates);
            }
        );

    private static string ReadText(string path)
    {
        try
        {
            return new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetString(
                ModelFile.ReadAllBytes(path)
            );
        }
        catch (DecoderFallbackException exception)
        {
            throw new ModelLoadException($"{path} holds text that is not Unicode. Download it again.", exception);
        }
    }
}
