using CsCheck;
using Dsde.Engine.Models;
using Dsde.Engine.Tokenization;

namespace Dsde.Engine.Tests.Tokenization;

public sealed class TextAssemblerTests(TestPair models) : IClassFixture<TestPair>
{
    private readonly ModelTokenizer _tokenizer = ModelTokenizer.Load(ModelFolder.Open(models.Target));

    [Fact]
    public void A_stop_string_is_found_wherever_it_lies_and_the_earliest_beginning_counts()
    {
        var text = Gen.String[Gen.Char["theandwi "], 0, 30];
        var stops = Gen.String[Gen.Char["theandwi "], 1, 4].Array[0, 3];
        Gen.Select(text, stops)
            .Sample(
                (written, stopStrings) =>
                {
                    var assembler = _tokenizer.CreateAssembler(stopStrings);
                    var stopped = false;
                    var seen = "";
                    foreach (var id in _tokenizer.Encode(written))
                    {
                        seen += System.Text.Encoding.UTF8.GetString(_tokenizer.BytesOf(id));
                        stopped = assembler.Append(id);
                        if (stopped)
                        {
                            break;
                        }
                    }

                    var first = stopStrings
                        .Select(stop => seen.IndexOf(stop, StringComparison.Ordinal))
                        .Where(index => index >= 0)
                        .DefaultIfEmpty(-1)
                        .Min();
                    stopped.ShouldBe(first >= 0);
                    assembler.Text.ShouldBe(first >= 0 ? seen[..first] : written);
                    if (!stopped)
                    {
                        stopStrings.ShouldAllBe(stop => !written.Contains(stop, StringComparison.Ordinal));
                    }
                }
            );
    }

    [Fact]
    public void Characters_appear_when_their_bytes_are_whole()
    {
        var assembler = _tokenizer.CreateAssembler(["🙂"]);
        byte[] smile = [0xF0, 0x9F, 0x99, 0x82];

        smile[..3].ShouldAllBe(value => !assembler.Append(value));
        assembler.Append(smile[3]).ShouldBeTrue();
        assembler.Text.ShouldBe("");
    }

    [Fact]
    public void Broken_and_unfinished_characters_become_replacement_characters_and_special_tokens_nothing()
    {
        var assembler = _tokenizer.CreateAssembler([]);
        foreach (var id in new[] { 'a', 0xFF, 'b', TestModelFolder.TurnStart, 0xE6, 0x97 })
        {
            assembler.Append(id).ShouldBeFalse();
        }

        assembler.Text.ShouldBe("a\uFFFDb\uFFFD");
    }

    /// <summary>
    /// Bytes are tokens of the test model by their value: every way to spread a text over tokens shows whole characters only.
    /// </summary>
    [Fact]
    public void Text_grows_by_whole_characters_however_bytes_are_spread_over_tokens()
    {
        const string Text = "a\u00e9日🙂👩‍👩‍👧‍👦👍🏽𠮷\n z";
        var bytes = System.Text.Encoding.UTF8.GetBytes(Text);
        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            var assembler = _tokenizer.CreateAssembler([]);
            bytes.Take(cut).ToList().ForEach(value => assembler.Append(value));

            var whole = System.Text.Encoding.UTF8.GetString(bytes[..cut]).TrimEnd('\uFFFD');
            assembler.Text.TrimEnd('\uFFFD').ShouldBe(whole);
            Text.ShouldStartWith(whole);
        }
    }

    [Fact]
    public void A_stop_string_ends_no_character_early()
    {
        byte[] smile = [0xF0, 0x9F, 0x99, 0x82];
        var assembler = _tokenizer.CreateAssembler(["\uFFFD"]);

        smile.ShouldAllBe(value => !assembler.Append(value));
        assembler.Text.ShouldBe("🙂");
    }
}
