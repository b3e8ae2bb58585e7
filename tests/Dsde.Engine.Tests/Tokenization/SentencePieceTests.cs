using Dsde.Engine.Tokenization;

namespace Dsde.Engine.Tests.Tokenization;

/// <summary>Ids and texts of SentencePiece models are those of SentencePiece itself (Fixtures/make.sh).</summary>
public sealed class SentencePieceTests(ITestOutputHelper output) : IDisposable
{
    private readonly TokenizerFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("llama2")]
    [InlineData("gemma")]
    [InlineData("plain")]
    public void Ids_are_those_of_SentencePiece(string model)
    {
        var tokenizer = _folder.WithPieces(model).Load();

        foreach (var (text, ids, _) in TokenizerFolder.Encodings(model))
        {
            tokenizer.Encode(text).ShouldBe(ids, text);
        }
    }

    [Theory]
    [InlineData("llama2")]
    [InlineData("gemma")]
    public void Texts_come_back_as_from_SentencePiece(string model)
    {
        var tokenizer = _folder.WithPieces(model).Load();

        foreach (var (text, ids, decoded) in TokenizerFolder.Encodings(model))
        {
            tokenizer.Decode(ids).ShouldBe(decoded, text);
        }
    }

    [Theory]
    [InlineData("llama2")]
    [InlineData("gemma")]
    public async Task Texts_of_all_kinds_have_the_librarys_tokens(string model)
    {
        _folder.WithPieces(model);

        await new TokenizerReference(_folder, output).CompareAsync(model);
    }

    [Fact]
    public void Runs_of_spaces_that_are_added_tokens_as_well_stay_the_pieces_that_they_are()
    {
        var plain = _folder.WithPieces("gemma").Load();
        var added = Enumerable
            .Range(2, 3)
            .ToDictionary(
                count => $"{plain.Encode(new string(' ', count)).ShouldHaveSingleItem()}",
                count => (object)new { content = new string('▁', count), special = false }
            );

        var tokenizer = _folder.WithSettings(new { added_tokens_decoder = added }).Load();

        foreach (var (text, ids, _) in TokenizerFolder.Encodings("gemma").Where(one => !one.Text.Contains('▁', StringComparison.Ordinal)))
        {
            tokenizer.Encode(text).ShouldBe(ids, text);
        }
    }

    [Fact]
    public void A_piece_that_is_added_as_a_marker_or_a_special_token_is_one_only_where_a_template_writes_it()
    {
        var plain = _folder.WithPieces("gemma").Load();
        var id = plain.Encode("<b>").ShouldHaveSingleItem();

        foreach (var isSpecial in new[] { true, false })
        {
            var tokenizer = _folder
                .WithSettings(
                    new
                    {
                        added_tokens_decoder = new Dictionary<string, object> { [$"{id}"] = new { content = "<b>", special = isSpecial } },
                        chat_template = "{% for message in messages %}<b>{{ message.content }}{% endfor %}",
                    }
                )
                .Load();

            tokenizer.EncodeWithSpecialTokens("x<b>y").ShouldContain(id);
            tokenizer.Encode("x<b>y").ShouldNotContain(id);
            tokenizer.Decode(tokenizer.Encode("x<b>y")).ShouldBe("x<b>y");
            ChatFolder.Render(tokenizer, [new("user", "say <b>this</b>")]).Count(one => one == id).ShouldBe(1);
        }
    }

    [Fact]
    public void Line_breaks_and_long_texts_round_trip()
    {
        var text = string.Concat(Enumerable.Repeat(File.ReadAllText(TokenizerFolder.Fixture("corpus.txt")), 20));

        foreach (var model in new[] { "llama2", "gemma" })
        {
            var tokenizer = _folder.WithPieces(model).Load();
            tokenizer.Decode(tokenizer.Encode(text)).ShouldBe(text);
        }
    }

    [Fact]
    public void Plain_prompts_begin_with_the_beginning_of_text_once()
    {
        var encoder = new PromptEncoder(_folder.WithPieces("llama2").Load(), TimeProvider.System);
        encoder.Encode("a").ShouldBe([1, 259]);
        encoder.Encode("<s>a").ShouldBe([1, 259]);

        _folder.WithSettings(new { add_bos_token = false });
        new PromptEncoder(_folder.Load(), TimeProvider.System).Encode("a").ShouldBe([259]);

        new PromptEncoder(_folder.WithPieces("gemma").Load(), TimeProvider.System).Encode("a")[0].ShouldBe(2);
    }

    /// <summary>An output continues its prompt, so its first space stays; a whole text had none.</summary>
    [Fact]
    public void The_first_space_belongs_to_an_output_and_not_to_a_text()
    {
        var tokenizer = _folder.WithPieces("llama2").Load();
        var ids = tokenizer.Encode("The fox");
        var output = tokenizer.CreateAssembler([]);

        ids.ToList().ForEach(id => output.Append(id));

        output.Text.ShouldBe(" The fox");
        tokenizer.Decode(ids).ShouldBe("The fox");
    }

    [Fact]
    public void Characters_of_byte_tokens_appear_when_they_are_whole()
    {
        var tokenizer = _folder.WithPieces("llama2").Load();
        var ids = tokenizer.Encode("𠮷");
        ids.Count.ShouldBe(5); // the boundary, then four bytes
        var output = tokenizer.CreateAssembler(["𠮷"]);

        ids.Take(4).ShouldAllBe(id => !output.Append(id));
        output.Append(ids[4]).ShouldBeTrue();
        output.Text.ShouldBe(" ");
    }

    [Fact]
    public void Added_tokens_are_read_from_the_files_beside_the_model()
    {
        _folder.WithPieces("llama2");
        TestModelFolder.WriteJson(_folder.Path, "added_tokens.json", new Dictionary<string, int> { ["<tool>"] = 520, ["<|end|>"] = 521 });
        _folder.WithSettings(
            new { added_tokens_decoder = new Dictionary<string, object> { ["521"] = TokenizerFolder.Added(521, "<|end|>", special: true) } }
        );
        var tokenizer = _folder.Load();

        tokenizer.VocabularySize.ShouldBe(522);
        var ids = tokenizer.Encode("a<tool>a<|end|>");
        ids.Take(3).ShouldBe([259, 520, 259]);
        ids.ShouldNotContain(521);
        tokenizer.EncodeWithSpecialTokens("a<|end|>").ShouldBe([259, 521]);
        tokenizer.IsSpecial(521).ShouldBeTrue();
        tokenizer.TextBytesOf(520).ToArray().ShouldBe("<tool>"u8.ToArray());

        _folder.WithSettings(new { legacy = false });
        _folder.Load().Encode("a<tool>a").Skip(2).ShouldNotBe([259]); // only the first segment gets a boundary
    }

    [Fact]
    public void Another_kind_of_model_is_refused_by_name()
    {
        _folder.WithPieces("llama2");
        var path = Path.Combine(_folder.Path, SentencePieceFile.FileName);
        var bytes = File.ReadAllBytes(path);

        // A second trainer specification (field 2) whose model type (field 3) is 1 overrides the first, as protobuf has it.
        File.WriteAllBytes(path, [.. bytes, 0x12, 0x02, 0x18, 0x01]);
        Should.Throw<ModelLoadException>(_folder.Load).Message.ShouldContain("Unigram");

        // Likewise a normalizer specification (field 3) with character rules (field 2).
        File.WriteAllBytes(path, [.. bytes, 0x1A, 0x03, 0x12, 0x01, 0x00]);
        Should.Throw<ModelLoadException>(_folder.Load).Message.ShouldContain("NFKC");
    }
}
