using System.Text;
using System.Text.Json;
using Dsde.Engine.Models;
using Dsde.Engine.Models.Files;

namespace Dsde.Engine.Tokenization.Chats;

/// <summary>
/// Where a folder keeps its chat template. Files of their own go before tokenizer_config.json; of several templates the one called default
/// is for plain chats, as in transformers.
/// </summary>
/// <param name="FileName">The file, for people.</param>
/// <param name="Text">The template; null if of several none is called default.</param>
/// <param name="Names">Names of the templates there are.</param>
internal sealed record TemplateSource(string FileName, string? Text, IReadOnlyList<string> Names)
{
    private const string DefaultFile = "chat_template.jinja";
    private const string OthersFolder = "additional_chat_templates";
    private const string Extension = ".jinja";
    private const string DefaultName = "default";
    private const string SettingsKey = "chat_template";

    /// <summary>The template of a folder; null without one.</summary>
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
        foreach (var file in Directory.Exists(others) ? Directory.EnumerateFileSystemEntries(others, "*" + Extension) : [])
        {
            files.TryAdd(Path.GetFileNameWithoutExtension(file), file);
        }

        if (files.Count == 0)
        {
            return null;
        }

        var path = files.GetValueOrDefault(DefaultName);
        return new TemplateSource(
            path is null ? OthersFolder : Path.GetRelativePath(folder, path),
            path is null ? null : ReadText(path),
            [.. files.Keys.Order(StringComparer.Ordinal)]
        );
    }

    /// <summary>Either one template, or a list of named ones.</summary>
    private static TemplateSource? FindInSettings(string path) =>
        TokenizerReader.Guard(
            path,
            () =>
            {
                if (!ModelFile.Exists(path) || JsonSettings.Load(path).Find(SettingsKey) is not { } found)
                {
                    return null;
                }

                if (found.ValueKind == JsonValueKind.String)
                {
                    return new TemplateSource(TokenizerSettings.FileName, found.GetString(), [DefaultName]);
                }

                var named = new Dictionary<string, string?>(StringComparer.Ordinal);
                foreach (var template in found.EnumerateArray())
                {
                    named[template.GetProperty("name").GetString() ?? ""] = template.GetProperty("template").GetString();
                }

                return new TemplateSource(TokenizerSettings.FileName, named.GetValueOrDefault(DefaultName), [.. named.Keys]);
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
