using Dsde.Engine.Tokenization;

namespace Dsde.Engine.Tests.Tokenization;

/// <summary>The tokenizer.json that Hugging Face makes of a SentencePiece model says the same as the model.</summary>
public sealed class PieceJsonTests : IDisposable
{
    private static readonly object ShowSpaces = new
    {
        type = "Replace",
        pattern = new { String = " " },
        content = "▁",
    };

    private readonly TokenizerFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Llama_2_puts_a_boundary_before_every_segment()
    {
        var tokenizer = _folder
            .WithJson(
                Model("llama2"),
                normalizer: new { type = "Sequence", normalizers = new[] { new { type = "Prepend", prepend = "▁" }, ShowSpaces } },
                added: [TokenizerFolder.Added(1, "<s>", special: true)]
            )
            .Load();

        foreach (var (text, ids, decoded) in TokenizerFolder.Encodings("llama2"))
        {
            tokenizer.Encode(text).ShouldBe(ids, text);
            tokenizer.Decode(ids).ShouldBe(decoded, text);
        }
    }

    [Fact]
    public void Gemma_puts_none_and_its_split_at_spaces_finds_none()
    {
        var tokenizer = _folder
            .WithJson(
                Model("gemma"),
                new
                {
                    type = "Split",
                    pattern = new { String = " " },
                    behavior = "MergedWithPrevious",
                    invert = false,
                },
                ShowSpaces,
                added: [.. Enumerable.Range(6, 4).Select(id => TokenizerFolder.Added(id, Pieces("gemma")[id].Text, special: false))]
            )
            .Load();

        foreach (
            var (text, ids, decoded) in TokenizerFolder
                .Encodings("gemma")
                .Where(item => !item.Text.Contains("  ", StringComparison.Ordinal))
        )
        {
            tokenizer.Encode(text).ShouldBe(ids, text);
            tokenizer.Decode(ids).ShouldBe(decoded, text);
        }
    }

    [Theory]
    [InlineData("first", "a", true, "▁a")]
    [InlineData("first", " a", true, "▁a")]
    [InlineData("first", "a", false, "a")]
    [InlineData("always", "a", false, "▁a")]
    [InlineData("always", " a", false, "▁a")]
    [InlineData("never", "a", true, "a")]
    public void Metaspace_puts_a_boundary_where_its_scheme_says(string scheme, string text, bool isFirst, string expected)
    {
        var tokenizer = _folder
            .WithJson(
                Model("llama2"),
                new
                {
                    type = "Metaspace",
                    replacement = "▁",
                    prepend_scheme = scheme,
                    split = false,
                }
            )
            .Load();
        var pieces = Pieces("llama2");

        string.Concat(tokenizer.Encode(text, isFirst).Select(id => pieces[id].Text)).ShouldBe(expected);
    }

    [Fact]
    public void Without_byte_fallback_unknown_characters_become_the_unknown_token()
    {
        var model = new
        {
            type = "BPE",
            unk_token = "<unk>",
            fuse_unk = true,
            vocab = new Dictionary<string, int>
            {
                ["<unk>"] = 0,
                ["▁"] = 1,
                ["a"] = 2,
                ["▁a"] = 3,
            },
            merges = new[] { "▁ a" },
        };
        var added = new[] { TokenizerFolder.Added(0, "<unk>", special: true) };

        var tokenizer = _folder.WithJson(model, normalizer: ShowSpaces, added: added).Load();

        tokenizer.Encode("a xy a").ShouldBe([2, 1, 0, 3]);
        tokenizer.Decode([2, 1, 0, 3]).ShouldBe("a  a");
    }

    /// <summary>Pieces become a vocabulary; every pair of pieces that makes a third is a merge, by the third's score.</summary>
    private static object Model(string fixture)
    {
        var pieces = Pieces(fixture);
        var ids = pieces.Index().ToDictionary(piece => piece.Item.Text, piece => piece.Index, StringComparer.Ordinal);
        var merges = pieces
            .Where(piece => piece.Kind == PieceKind.Normal)
            .OrderByDescending(piece => piece.Score)
            .SelectMany(piece => Enumerable.Range(1, piece.Text.Length - 1).Select(cut => new[] { piece.Text[..cut], piece.Text[cut..] }))
            .Where(merge => merge.All(part => ids.TryGetValue(part, out var id) && pieces[id].Kind == PieceKind.Normal));
        return new
        {
            type = "BPE",
            unk_token = "<unk>",
            fuse_unk = true,
            byte_fallback = true,
            vocab = ids,
            merges = merges.ToArray(),
        };
    }

    private static List<(string Text, float Score, PieceKind Kind)> Pieces(string fixture) =>
        SentencePieceFile.Read(TokenizerFolder.Fixture(fixture + ".model")).Pieces;
}
