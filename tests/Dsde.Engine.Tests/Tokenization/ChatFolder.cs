using Dsde.Engine.Tokenization;
using Dsde.Testing;

namespace Dsde.Engine.Tests.Tokenization;

/// <summary>Folders with chat templates, and what they make of chats.</summary>
internal static class ChatFolder
{
    /// <summary>Tokens of many families.</summary>
    public static readonly string[] Markers =
    [
        "<|im_start|>",
        "<|im_end|>",
        "<|begin_of_text|>",
        "<|start_header_id|>",
        "<|end_header_id|>",
        "<|eot_id|>",
        "<s>",
        "</s>",
        "<bos>",
        "<start_of_turn>",
        "<end_of_turn>",
    ];

    /// <summary>A chat's ids.</summary>
    public static IReadOnlyList<int> Render(ModelTokenizer tokenizer, IReadOnlyList<ChatTurn> turns) =>
        tokenizer.Encode(tokenizer.ChatTemplates.Render(turns, ChatInputs.None, TimeProvider.System));

    /// <summary>A template, or the one of a family's name.</summary>
    public static string Source(string template)
    {
        var file = Repository.PathOf("tests", "Dsde.Templates.Tests", "Vectors", "shapes", template + ".jinja");
        return template.Contains('{', StringComparison.Ordinal) || !File.Exists(file) ? template : File.ReadAllText(file);
    }

    /// <summary>Writes a template and a tokenizer with its markers as tokens from 300 on, and loads them.</summary>
    public static ModelTokenizer LoadChat(
        this TokenizerFolder folder,
        object template,
        string bos,
        bool specialMarkers = true,
        string[]? markers = null,
        bool strips = false
    )
    {
        TestTokenizer.Write(folder.Path);
        var path = Path.Combine(folder.Path, "tokenizer.json");
        var file = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(path))!;
        var added = System.Text.Json.JsonSerializer.SerializeToNode(
            (markers is null ? Markers : [.. markers, "<s>", "</s>"]).Select(
                (marker, i) => TokenizerFolder.Added(300 + i, marker, specialMarkers)
            )
        )!;
        foreach (var token in added.AsArray())
        {
            token!["lstrip"] = strips;
            token["rstrip"] = strips;
        }

        file["added_tokens"] = added;
        File.WriteAllText(path, file.ToJsonString());
        TestModelFolder.WriteJson(
            folder.Path,
            "tokenizer_config.json",
            new
            {
                bos_token = bos,
                eos_token = "</s>",
                chat_template = template is string text ? Source(text) : template,
            }
        );
        return folder.Load();
    }
}
