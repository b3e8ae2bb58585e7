using Dsde.Engine.Models;
using Dsde.Engine.Tokenization;
using Dsde.Testing;

namespace Dsde.Engine.Tests.Tokenization;

/// <summary>Where a folder keeps its chat template, and what becomes of one that fails.</summary>
public sealed class ChatTemplateFileTests : IDisposable
{
    private readonly TokenizerFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_template_whose_markers_the_model_has_no_row_for_is_refused()
    {
        using var small = new TokenizerFolder(vocabularySize: 300 + ChatFolder.Markers.Length);
        var tokenizer = small.LoadChat(ChatShapes.Gemma2, bos: "<named only>");

        Should
            .Throw<NotSupportedException>(() => ChatFolder.Render(tokenizer, [new("user", "a")]))
            .Message.ShouldContain("it needs the bos_token '<named only>', which the model has no row for");
        tokenizer.Description.ShouldContain("chat template none");
    }

    [Fact]
    public void A_marker_that_is_named_only_is_a_token_where_the_model_has_a_row_for_it()
    {
        var tokenizer = _folder.LoadChat(ChatShapes.Gemma2, bos: "<named only>");

        ChatFolder.Render(tokenizer, [new("user", "a")])[0].ShouldBe(300 + ChatFolder.Markers.Length);
    }

    [Theory]
    [InlineData("{{ raise_exception('Only in the morning.') }}", "refuses this chat: Only in the morning.")]
    [InlineData("\n{{ messages[0].content.nothing.more }}", "line 2")]
    [InlineData("{% for i in range(99999) %}{% for j in range(99999) %}{{ i }}{% endfor %}{% endfor %}", "can't be run: line 1: the")]
    [InlineData("{% if false %}x{% endif %}", "makes nothing")]
    public void A_template_that_fails_refuses_the_chat_with_its_reason(string template, string reason)
    {
        var tokenizer = _folder.LoadChat(template, "<s>");

        Should.Throw<NotSupportedException>(() => ChatFolder.Render(tokenizer, [new("user", "a")])).Message.ShouldContain(reason);
    }

    [Fact]
    public void A_template_that_can_not_be_parsed_refuses_chats_and_says_so_at_load()
    {
        _folder.LoadChat("a\n{% for %}", "<s>");
        var folder = ModelFolder.Open(_folder.Path);
        var tokenizer = ModelTokenizer.Load(folder);

        var refusal = Should.Throw<NotSupportedException>(() => ChatFolder.Render(tokenizer, [new("user", "a")])).Message;

        refusal.ShouldContain("tokenizer_config.json) can't be run: line 2: ");
        refusal.ShouldContain("plain prompt");
        tokenizer.Description.ShouldContain("chat template none (tokenizer_config.json: line 2: ");
        folder.Warnings.ShouldContain(warning => warning.Contains("line 2: ", StringComparison.Ordinal));
        tokenizer.Encode("a").ShouldBe(['a']);
    }

    [Fact]
    public void What_is_no_template_is_named_and_an_empty_list_is_none()
    {
        Should
            .Throw<ModelLoadException>(() => Read(5))
            .Message.ShouldContain("\"chat_template\" has to be a text, or a list of named ones.");
        Should.Throw<NotSupportedException>(() => Read(Array.Empty<object>())).Message.ShouldContain("has no chat template.");
    }

    [Fact]
    public void A_list_of_templates_has_a_default_and_files_of_their_own_go_first()
    {
        Read(new[] { new { name = "tool_use", template = "x" }, new { name = "default", template = "list" } }).ShouldBe("list");
        Read(new { tool_use = "x", @default = "by name" }).ShouldBe("by name");
        Should
            .Throw<NotSupportedException>(() => Read(new[] { new { name = "tool_use", template = "x" } }))
            .Message.ShouldContain("tool_use, but none is called default");

        Directory.CreateDirectory(Path.Combine(_folder.Path, "additional_chat_templates"));
        File.WriteAllText(Path.Combine(_folder.Path, "additional_chat_templates", "default.jinja"), "additional");
        Read("text").ShouldBe("additional");

        File.WriteAllText(Path.Combine(_folder.Path, "blob"), "file");
        File.CreateSymbolicLink(Path.Combine(_folder.Path, "chat_template.jinja"), "blob");
        Read("text").ShouldBe("file");
        _folder.Load().Description.ShouldEndWith("chat template of chat_template.jinja");
    }

    [Fact]
    public void A_folder_of_templates_that_is_a_link_to_nowhere_is_named()
    {
        var folder = Path.Combine(_folder.Path, "additional_chat_templates");
        Directory.CreateSymbolicLink(folder, "/nowhere/templates");

        Should
            .Throw<ModelLoadException>(() => _folder.LoadChat("{{ messages[0].content }}", "<s>"))
            .Message.ShouldContain($"{folder} is a symbolic link to /nowhere/templates, and there is nothing");
    }

    [Fact]
    public void Special_tokens_have_their_names_from_the_settings_and_else_from_the_map()
    {
        _folder.LoadChat("{{ bos_token }}|{{ eos_token }}|{{ pad_token }}|{{ additional_special_tokens | join }}", "<s>");
        TestModelFolder.WriteJson(
            _folder.Path,
            "special_tokens_map.json",
            new
            {
                bos_token = "<bos>",
                pad_token = new { content = "<|eot_id|>" },
                additional_special_tokens = new object[] { new { content = "<|im_end|>" }, "<|im_start|>" },
            }
        );

        _folder
            .Load()
            .ChatTemplates.Render([new("user", "a")], ChatInputs.None, TimeProvider.System)
            .Value.ShouldBe("<s>|</s>|<|eot_id|>|<|im_end|><|im_start|>");
    }

    private string Read(object template) =>
        _folder.LoadChat(template, "<s>").ChatTemplates.Render([new("user", "a")], ChatInputs.None, TimeProvider.System).Value;
}
