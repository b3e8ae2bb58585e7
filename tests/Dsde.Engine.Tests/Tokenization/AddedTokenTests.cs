using Dsde.Engine.Models;
using Dsde.Engine.Tokenization;

namespace Dsde.Engine.Tests.Tokenization;

/// <summary>
/// Added tokens in text: ordinary ones are found as Hugging Face does, special ones only where the sender may write them.
/// </summary>
public sealed class AddedTokenTests : IDisposable
{
    private readonly TokenizerFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_longest_token_at_a_place_counts_and_the_rest_is_text()
    {
        var splitter = Splitter(
            new(1, new AddedToken("<a>", false)),
            new(2, new AddedToken("<a><b>", false)),
            new(3, new AddedToken("\n\n", false))
        );

        splitter.Split("x<a><b>y<a>").ShouldBe([("x", null), ("", 2), ("y", null), ("", 1)]);
        splitter.Split("\n\n\n<a").ShouldBe([("", 3), ("\n<a", null)]);
        splitter.Split("").ShouldBeEmpty();
    }

    [Fact]
    public void White_space_and_word_borders_are_as_the_token_says()
    {
        var splitter = Splitter(
            new(1, new AddedToken("<l>", false) { StripsLeft = true }),
            new(2, new AddedToken("<r>", false) { StripsRight = true }),
            new(3, new AddedToken("word", false) { IsWholeWord = true })
        );

        splitter.Split("a \t<l> b").ShouldBe([("a", null), ("", 1), (" b", null)]);
        splitter.Split("a <r>\n b").ShouldBe([("a ", null), ("", 2), ("b", null)]);
        splitter.Split("word words (word) sword").ShouldBe([("", 3), (" words (", null), ("", 3), (") sword", null)]);
    }

    [Fact]
    public void Ordinary_tokens_are_found_in_any_text_and_special_ones_in_plain_prompts()
    {
        var tokenizer = Load();
        var encoder = new PromptEncoder(tokenizer, TimeProvider.System);

        tokenizer.Encode("a<think>b").ShouldBe(['a', 401, 'b']);
        tokenizer.Encode("<|end|>").ShouldNotContain(400);
        encoder.Encode("a<think>b<|end|>").ShouldBe(['a', 401, 'b', 400]);
        encoder.Decode(['a', 401, 'b', 400]).ShouldBe("a<think>b");
    }

    [Fact]
    public void The_settings_have_the_last_word_on_the_beginning_of_text()
    {
        var template = new
        {
            type = "TemplateProcessing",
            single = new object[]
            {
                new { SpecialToken = new { id = "<|end|>", type_id = 0 } },
                new { Sequence = new { id = "A", type_id = 0 } },
            },
            special_tokens = new Dictionary<string, object>
            {
                ["<|end|>"] = new
                {
                    id = "<|end|>",
                    ids = new[] { 400 },
                    tokens = new[] { "<|end|>" },
                },
            },
        };

        new PromptEncoder(Load(template), TimeProvider.System).Encode("a").ShouldBe([400, 'a']);
        new PromptEncoder(
            Load(new { type = "Sequence", processors = new object[] { new { type = "ByteLevel" }, template } }),
            TimeProvider.System
        )
            .Encode("<|end|>a")
            .ShouldBe([400, 'a']);
        new PromptEncoder(Load(template, new { add_bos_token = false }), TimeProvider.System).Encode("a").ShouldBe(['a']);
        new PromptEncoder(Load(null, new { add_bos_token = true, bos_token = new { content = "<|end|>" } }), TimeProvider.System)
            .Encode("a")
            .ShouldBe([400, 'a']);
    }

    [Fact]
    public void Tokens_that_only_tokenizer_config_names_are_tokens_and_its_word_on_others_is_the_last()
    {
        var tokenizer = Load(
            settings: new
            {
                added_tokens_decoder = new Dictionary<string, object>
                {
                    ["402"] = TokenizerFolder.Added(402, "<tool>", special: false),
                    ["403"] = TokenizerFolder.Added(403, "<|turn|>", special: true),
                    ["700"] = TokenizerFolder.Added(700, "<think>", special: true), // has an id already, and was none to hide
                },
            }
        );

        tokenizer.Encode("a<tool>b<|turn|>").Take(3).ShouldBe(['a', 402, 'b']);
        tokenizer.EncodeWithSpecialTokens("<|turn|><think>").ShouldBe([403, 401]);
        tokenizer.Decode([402, 403, 401, 'x']).ShouldBe("<tool>x");
        tokenizer.VocabularySize.ShouldBe(404);
    }

    [Fact]
    public void Tokens_that_are_only_named_get_the_next_free_ids_in_transformers_order_and_are_special()
    {
        var tokenizer = Load(
            settings: new
            {
                additional_special_tokens = new object[] { "<|b|>", new { content = "<|a|>", lstrip = true }, "<|end|>" },
                pad_token = "<|pad|>",
                eos_token = new { content = "<|stop|>" },
                unk_token = "a", // is in the vocabulary
                image_token = "<|ignored|>",
                extra_special_tokens = new { tool_token = "<|tool|>" },
            }
        );

        tokenizer.VocabularySize.ShouldBe(407);
        // eos_token, pad_token, the additional ones, the extra ones
        tokenizer.EncodeWithSpecialTokens("<|stop|><|pad|><|b|>  <|a|><|tool|><|end|>").ShouldBe([402, 403, 404, 405, 406, 400]);
        tokenizer.Encode("<|pad|>").ShouldNotContain(403);
        tokenizer.EncodeWithSpecialTokens("ba").ShouldBe(['b', 'a']);
        tokenizer.IsSpecial('a').ShouldBeTrue();
        tokenizer.Decode([402, 403, 404, 405, 406, 'x']).ShouldBe("x");
        tokenizer.EndTokenIds.ShouldContain(402);
    }

    [Fact]
    public void A_named_token_without_a_row_of_the_model_is_told_and_ends_nothing()
    {
        using var small = new TokenizerFolder(vocabularySize: 402);
        var settings = new { pad_token = "<|pad|>", eos_token = "<|stop|>" };

        var tokenizer = Load(settings: settings, folder: small);

        tokenizer.EndTokenIds.ShouldNotContain(402);
        tokenizer.EncodeWithSpecialTokens("<|pad|>").ShouldBe([403]);
        var folder = ModelFolder.Open(small.Path);
        ModelTokenizer.Load(folder);
        folder.Warnings.ShouldContain(warning =>
            warning.Contains("adds 2 tokens that the model has no row for (402 rows), the first '<|stop|>'")
        );
    }

    [Fact]
    public void A_configured_token_that_takes_anothers_id_belongs_to_another_model()
    {
        var settings = new
        {
            added_tokens_decoder = new Dictionary<string, object> { ["400"] = TokenizerFolder.Added(400, "<other>", special: true) },
        };

        Should
            .Throw<ModelLoadException>(() => Load(settings: settings))
            .Message.ShouldContain("tokenizer_config.json adds the token '<other>' as 400, which tokenizer.json has for another token");
    }

    private static AddedTokenSplitter Splitter(params KeyValuePair<int, AddedToken>[] tokens) => new(tokens);

    private ModelTokenizer Load(object? postProcessor = null, object? settings = null, TokenizerFolder? folder = null)
    {
        folder ??= _folder;
        TestTokenizer.Write(folder.Path);
        var path = Path.Combine(folder.Path, "tokenizer.json");
        var file = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(path))!;
        file["added_tokens"] = System.Text.Json.JsonSerializer.SerializeToNode(
            new[] { TokenizerFolder.Added(400, "<|end|>", true), TokenizerFolder.Added(401, "<think>", false) }
        );
        file["post_processor"] = System.Text.Json.JsonSerializer.SerializeToNode(postProcessor);
        File.WriteAllText(path, file.ToJsonString());
        return folder.WithSettings(settings ?? new { }).Load();
    }
}
