using System.Text.RegularExpressions;
using CsCheck;
using Dsde.Engine.Tokenization;
using Microsoft.ML.Tokenizers;

namespace Dsde.Engine.Tests.Tokenization;

/// <summary>Ids of byte-level BPE in the variants of GPT-2, Llama 3 and Qwen are those of a plain reference.</summary>
public sealed class ByteLevelTests : IDisposable
{
    private static readonly string Corpus = File.ReadAllText(TokenizerFolder.Fixture("corpus.txt"));

    private static readonly string[] Texts =
    [
        "The quick brown fox",
        "it's I'M We'Ll they'VE 'S 't",
        "  two  spaces ",
        "tabs\tand\n\nlines\r\n  end  ",
        "1 22 333 4444 55555",
        "größer, naïve",
        "日本語 テスト 今天",
        "오늘은 좋습니다",
        "لكلب السريع",
        "Быстрая лиса",
        "🙂 👍🏽 👩‍👩‍👧‍👦",
        "for (int i = 0; i < n; i++) { a[i] += b; }",
        "    def f(x):\n        return x\n",
        "a\u00a0b\u2003c",
        "<|im_start|>",
        "x",
        " ",
        "\n",
        "½²٣",
    ];

    private readonly TokenizerFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("gpt2")]
    [InlineData("llama3")]
    [InlineData("qwen")]
    public void Ids_are_those_of_a_plain_reference(string variant)
    {
        var (reference, tokenizer) = Create(variant);

        foreach (var text in Texts.Append(Corpus).Append(string.Join(' ', Texts)))
        {
            tokenizer.Encode(text).ShouldBe(reference.Encode(text), text);
            tokenizer.Decode(tokenizer.Encode(text)).ShouldBe(text);
        }

        var letters = TokenizerFolder.AnyOf(
            "th",
            "e",
            " ",
            "  ",
            "'s",
            "'",
            "1",
            "22",
            "\n",
            "\t",
            "ß",
            "日",
            "🙂",
            "The",
            "(",
            "=",
            "\u00a0"
        );
        letters.Array[0, 30].Select(string.Concat).Sample(text => tokenizer.Encode(text).ShouldBe(reference.Encode(text)));
    }

    [Fact]
    public void A_word_that_is_a_token_is_taken_whole_where_the_model_ignores_merges()
    {
        var merging = new ReferenceBpe(ReferenceBpe.Llama3, Corpus, 60);
        merging.Vocabulary.Add("fox", merging.Vocabulary.Count);
        var whole = new ReferenceBpe(ReferenceBpe.Llama3, Corpus, 60) { IgnoresMerges = true };
        whole.Vocabulary.Add("fox", whole.Vocabulary.Count);

        _folder
            .WithJson(merging.Model(), SplitThenBytes(ReferenceBpe.Llama3))
            .Load()
            .Encode("fox foxes")
            .ShouldBe(merging.Encode("fox foxes"));
        var tokenizer = _folder.WithJson(whole.Model(), SplitThenBytes(ReferenceBpe.Llama3)).Load();

        tokenizer.Encode("fox foxes").ShouldBe(whole.Encode("fox foxes"));
        tokenizer.Encode("fox").ShouldBe([whole.Vocabulary["fox"]]);
        merging.Encode("fox").Length.ShouldBeGreaterThan(1);
    }

    [Fact]
    public void The_library_agrees_where_it_does_the_same()
    {
        var (reference, tokenizer) = Create("gpt2");
        var library = BpeTokenizer.Create(
            new BpeOptions(reference.Vocabulary)
            {
                Merges = reference.Merges.Select(merge => $"{merge.First} {merge.Second}"),
                ByteLevel = true,
                PreTokenizer = new RegexPreTokenizer(new Regex(ReferenceBpe.Gpt2), null),
            }
        );

        Texts.ShouldAllBe(text => tokenizer.Encode(text).SequenceEqual(library.EncodeToIds(text, true, true)));
    }

    /// <summary>.NET's patterns see halves of surrogate pairs, which are neither letters nor digits.</summary>
    [Fact]
    public void Letters_and_digits_beyond_the_basic_plane_are_letters_and_digits()
    {
        var splitter = new WordSplitter([ReferenceBpe.Qwen]);

        Words("a𝒳b 𠮷野家𠮷! 𝟏𝟐x 🙂🙂").ShouldBe(["a𝒳b", " 𠮷野家𠮷", "!", " ", "𝟏", "𝟐", "x", " 🙂🙂"]);
        Words("\ud83d x").ShouldBe(["\ud83d", " x"]);

        string[] Words(string text) => [.. splitter.PreTokenize(text).Select(word => text.Substring(word.Offset, word.Length))];
    }

    [Fact]
    public void Patterns_apply_one_after_the_other()
    {
        var splitter = new WordSplitter([@"\p{N}", ReferenceBpe.Gpt2]);
        const string Text = "ab12 cd";

        splitter.PreTokenize(Text).Select(word => Text.Substring(word.Offset, word.Length)).ShouldBe(["ab", "1", "2", " cd"]);
    }

    [Fact]
    public void Qwen_composes_characters_first()
    {
        var reference = new ReferenceBpe(ReferenceBpe.Qwen, Corpus, 60);
        var tokenizer = _folder.WithJson(reference.Model(), SplitThenBytes(ReferenceBpe.Qwen), new { type = "NFC" }).Load();

        tokenizer.Encode("e\u0301a\u0308").ShouldBe(reference.Encode("éä"));
        tokenizer.Decode(tokenizer.Encode("e\u0301")).ShouldBe("é");
    }

    [Fact]
    public void Long_words_take_time_in_proportion()
    {
        var (_, tokenizer) = Create("gpt2");
        var word = string.Concat(Enumerable.Range(0, 40_000).Select(i => "theandfox"[i * 7 % 9]));
        tokenizer.Encode(word[..1000]);
        var time = System.Diagnostics.Stopwatch.StartNew();

        var ids = tokenizer.Encode(string.Concat(Enumerable.Repeat(word, 10)));

        ids.Count.ShouldBeGreaterThan(100_000);
        time.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(20)); // quadratic time would be several minutes
    }

    private (ReferenceBpe Reference, ModelTokenizer Tokenizer) Create(string variant)
    {
        var pattern = variant switch
        {
            "gpt2" => ReferenceBpe.Gpt2,
            "llama3" => ReferenceBpe.Llama3,
            _ => ReferenceBpe.Qwen,
        };
        var reference = new ReferenceBpe(pattern, Corpus, 150) { IgnoresMerges = variant == "llama3" };
        object preTokenizer =
            variant == "gpt2"
                ? new
                {
                    type = "ByteLevel",
                    add_prefix_space = false,
                    use_regex = true,
                }
                : SplitThenBytes(pattern);
        return (reference, _folder.WithJson(reference.Model(), preTokenizer).Load());
    }

    private static object SplitThenBytes(string pattern) =>
        new
        {
            type = "Sequence",
            pretokenizers = new object[]
            {
                new
                {
                    type = "Split",
                    pattern = new { Regex = pattern },
                    behavior = "Isolated",
                    invert = false,
                },
                new
                {
                    type = "ByteLevel",
                    add_prefix_space = false,
                    use_regex = false,
                },
            },
        };
}
