using System.Buffers;
using System.Text.RegularExpressions;
using Dsde.Engine.Models;
using Dsde.Engine.Tokenization;
using Microsoft.ML.Tokenizers;

namespace Dsde.Engine.Tests.Tokenization;

/// <summary>The engine's tokenizers are Microsoft.ML.Tokenizers', and the engine takes the library's.</summary>
public sealed class LibrarySeamTests : IDisposable
{
    private const string Text = "The quick größer  日本🙂 fox";
    private static readonly string Corpus = File.ReadAllText(TokenizerFolder.Fixture("corpus.txt"));

    private readonly TokenizerFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("bytes")]
    [InlineData("llama2")]
    [InlineData("gemma")]
    public void Tokens_cover_the_normalized_text_and_limits_cut_it_where_the_library_says(string kind)
    {
        var tokenizer = Read(kind).First;
        var ids = tokenizer.EncodeToIds(Text);
        var tokens = tokenizer.EncodeToTokens(Text, out var normalized);

        tokens.Select(token => token.Id).ShouldBe(ids);
        tokens.Select(token => token.Value).ShouldBe(tokens.Select(token => normalized![token.Offset]));
        tokens[0].Offset.Start.Value.ShouldBe(0);
        tokens[^1].Offset.End.Value.ShouldBe(normalized!.Length);
        tokens.Zip(tokens.Skip(1)).ShouldAllBe(pair => pair.Second.Offset.Start.Value <= pair.First.Offset.End.Value);
        tokenizer.CountTokens(Text).ShouldBe(ids.Count);
        tokenizer.EncodeToIds(Text, 3, out _, out var consumed).ShouldBe(ids.Take(3));
        consumed.ShouldBe(tokens[2].Offset.End.Value);
        tokenizer.GetIndexByTokenCount(Text, 3, out _, out var count).ShouldBe(tokens[2].Offset.End.Value);
        count.ShouldBe(3);
        tokenizer.GetIndexByTokenCountFromEnd(Text, 3, out _, out _).ShouldBe(tokens[^3].Offset.Start.Value);
    }

    [Theory]
    [InlineData("bytes")]
    [InlineData("llama2")]
    public void Decoding_stops_where_a_character_ends_if_there_is_no_room(string kind)
    {
        var tokenizer = Read(kind).First;
        var ids = tokenizer.EncodeToIds("größer 日本🙂");
        var all = new char[100];
        tokenizer.Decode(ids, all, out var consumed, out var written).ShouldBe(OperationStatus.Done);
        consumed.ShouldBe(ids.Count);
        var text = new string(all, 0, written);
        text.TrimStart().ShouldBe("größer 日本🙂");
        tokenizer.Decode(ids).ShouldBe("größer 日本🙂");

        for (var room = 0; room < text.Length; room++)
        {
            tokenizer.Decode(ids, new char[room], out consumed, out written).ShouldBe(OperationStatus.DestinationTooSmall);
            var rest = new char[100];
            tokenizer.Decode(ids.Skip(consumed), rest, out _, out var more).ShouldBe(OperationStatus.Done);
            (text[..written] + new string(rest, 0, more)).ShouldBe(text);
        }
    }

    [Fact]
    public void The_engine_takes_the_librarys_tokenizer()
    {
        var reference = new ReferenceBpe(ReferenceBpe.Gpt2, Corpus, 60);
        var definition = Read("bytes");
        var library = BpeTokenizer.Create(
            new BpeOptions(reference.Vocabulary)
            {
                Merges = reference.Merges.Select(merge => $"{merge.First} {merge.Second}"),
                ByteLevel = true,
                PreTokenizer = new RegexPreTokenizer(new Regex(ReferenceBpe.Gpt2), null),
            }
        );

        var tokenizer = ModelTokenizer.Create(ModelFolder.Open(_folder.Path), definition with { First = library, Following = library });
        var assembler = tokenizer.CreateAssembler([]);
        foreach (var id in tokenizer.Encode(Text))
        {
            assembler.Append(id);
        }

        assembler.Text.ShouldBe(Text);
        tokenizer.Encode(Text).ShouldBe(reference.Encode(Text));
        tokenizer.EncodeWithSpecialTokens("fox<|end|>fox").ShouldContain(1999);
        tokenizer.Encode("fox<|end|>fox").ShouldNotContain(1999);
    }

    private TokenizerDefinition Read(string kind)
    {
        var folder =
            kind == "bytes"
                ? _folder.WithJson(
                    new ReferenceBpe(ReferenceBpe.Gpt2, Corpus, 60).Model(),
                    new { type = "ByteLevel" },
                    added:
                    [
                        new
                        {
                            id = 1999,
                            content = "<|end|>",
                            special = true,
                        },
                    ]
                )
                : _folder.WithPieces(kind);
        return TokenizerReader.Read(folder.Path);
    }
}
