using CsCheck;
using Dsde.Engine.Tokenization;

namespace Dsde.Engine.Tests.Tokenization;

/// <summary>Expected values are from the Unicode Standard (Annex 15 and its conformance test).</summary>
public sealed class CanonicalCompositionTests
{
    [Theory]
    [InlineData("plain é", "plain é")]
    [InlineData("e\u0301", "\u00e9")]
    [InlineData("q\u0323\u0307", "q\u0323\u0307")]
    [InlineData("q\u0307\u0323", "q\u0323\u0307")]
    [InlineData("\u1E0A\u0323", "\u1E0C\u0307")]
    [InlineData("D\u0307\u0323", "\u1E0C\u0307")]
    [InlineData("\u1E14\u0304", "\u1E14\u0304")]
    [InlineData("\u212B", "\u00C5")]
    [InlineData("\u0958", "\u0915\u093C")]
    [InlineData("\u1100\u1161\u11A8", "\uAC01")]
    [InlineData("\uAC00\u11A8", "\uAC01")]
    [InlineData("\u0344", "\u0308\u0301")]
    [InlineData("a\u0301\u0301", "\u00e1\u0301")]
    [InlineData("\u0b47\u0300\u0b3e", "\u0b47\u0300\u0b3e")]
    [InlineData("\U0001D15E", "\U0001D157\U0001D165")]
    [InlineData("\uFB01 \uFF21", "\uFB01 \uFF21")]
    public void Text_comes_into_form_C(string text, string expected) => CanonicalComposition.Normalize(text).ShouldBe(expected);

    [Fact]
    public void Halves_of_pairs_become_replacement_characters() => CanonicalComposition.Normalize("\uD800e\u0301").ShouldBe("\uFFFD\u00e9");

    [Fact]
    public void Form_C_stays_as_it_is() =>
        TokenizerFolder
            .AnyOf("e", "\u0301", "\u0323", "\u1100", "\u1161", "\u11A8", "\uAC00", "日", "🙂", "ö", "\u0915", "\u093C")
            .Array[0, 12]
            .Select(string.Concat)
            .Sample(text =>
            {
                var composed = CanonicalComposition.Normalize(text);
                CanonicalComposition.Normalize(composed).ShouldBe(composed);
            });
}
