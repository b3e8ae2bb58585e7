using System.Text;
using System.Text.RegularExpressions;

namespace Dsde.Grammars.Tests;

public sealed class RegexTests
{
    private static readonly string[] Letters = ["a", "b", "c", "0", "9", "_", "-", " ", "\n", "é", "漢", "😀", "A", ".", "\""];

    [Theory]
    [InlineData("a*b+c?")]
    [InlineData("(ab|c){2,3}")]
    [InlineData("[^abc]{0,2}a")]
    [InlineData("\\w+-\\d{2}")]
    [InlineData("(?:a|b(?<x>c))*")]
    [InlineData(".{3}")]
    [InlineData("[a-c0-9_]{1,}[é漢-]?")]
    [InlineData("\\s\\S\\W\\D")]
    [InlineData("")]
    [InlineData("a||b")]
    [InlineData("(a*)*b|(c+)+")]
    [InlineData("\\x41|\\u00e9|\\.|\\-")]
    [InlineData("^a.*c$")]
    [InlineData("^(a|b)+$|^c$")]
    [InlineData("(^a$)")]
    public void The_whole_of_a_text_matches_as_it_does_elsewhere(string expression)
    {
        var grammar = Outputs.Regex(expression);
        var other = new Regex($"^(?:{expression})$(?!\n)", RegexOptions.ECMAScript | RegexOptions.CultureInvariant);

        foreach (var text in Texts())
        {
            Outputs.Accepts(grammar, text).ShouldBe(Matches(other, text, expression), $"'{text}'");
        }
    }

    [Theory]
    [InlineData("a|b", "xxbxx", true)]
    [InlineData("^a|b$", "axx", true)]
    [InlineData("^a|b$", "xab", true)]
    [InlineData("^a|b$", "xax", false)]
    [InlineData("^$", "", true)]
    [InlineData("^$", "a", false)]
    [InlineData("\\p", "p", null)]
    [InlineData("a(?=b)", "a", null)]
    [InlineData("(a)\\1", "aa", null)]
    [InlineData("a\\b", "a", null)]
    [InlineData("a^b", "a", null)]
    [InlineData("a$b", "a", null)]
    [InlineData("(^a|b)c", "ac", null)]
    [InlineData("a**", "a", null)]
    [InlineData("*a", "a", null)]
    [InlineData("(a", "a", null)]
    [InlineData("a)", "a", null)]
    [InlineData("[a", "a", null)]
    [InlineData("[b-a]", "a", null)]
    [InlineData("a{2,1}", "a", null)]
    [InlineData("a{", "a", null)]
    [InlineData("\\", "a", null)]
    [InlineData("\\uD800", "a", null)]
    [InlineData("\\uD83D\\uDE00", "x😀", true)]
    [InlineData("\\u{1F600}", "x😀", true)]
    public void A_pattern_is_searched_for_and_what_no_automaton_does_is_refused(string pattern, string text, bool? matches)
    {
        var schema = $$"""{"type":"string","pattern":{{System.Text.Json.JsonSerializer.Serialize(pattern)}}}""";
        if (matches is null)
        {
            var refusal = Should.Throw<GrammarException>(() => Outputs.Schema(schema));
            refusal.Place.ShouldBe("#/pattern");
            refusal.Message.ShouldContain("character ");
            Should.Throw<GrammarException>(() => Outputs.Regex(pattern)).Place.ShouldStartWith("character ");
        }
        else
        {
            Outputs.Accepts(Outputs.Schema(schema), $"\"{text}\"").ShouldBe(matches.Value);
        }
    }

    [Theory]
    [InlineData("[^b-z]{2000}{2000}")]
    [InlineData("(a{1000}){1000}")]
    [InlineData("(a|b)*a(a|b){20}")]
    public void What_would_need_too_much_memory_is_refused(string expression) =>
        Should.Throw<GrammarException>(() => Outputs.Regex(expression));

    [Fact]
    public void An_expression_that_matches_nothing_is_refused() => Should.Throw<GrammarException>(() => Outputs.Regex("[^\\s\\S]"));

    private static bool Matches(Regex regex, string text, string expression)
    {
        // .NET's ECMAScript mode knows ASCII alone in \s, and characters of 16 bits; the expressions here ask for no more than a dot of
        // these.
        var isSurrogate = text.Contains("😀", StringComparison.Ordinal);
        return isSurrogate && expression is ".{3}" or "[^abc]{0,2}a" or "\\s\\S\\W\\D" or "^a.*c$"
            ? regex.IsMatch(text.Replace("😀", "漢", StringComparison.Ordinal))
            : regex.IsMatch(text);
    }

    private static IEnumerable<string> Texts()
    {
        var random = new Random(5);
        yield return "";
        for (var i = 0; i < 600; i++)
        {
            var text = new StringBuilder();
            for (var length = random.Next(1, 7); length > 0; length--)
            {
                text.Append(Letters[random.Next(random.Next(2) == 0 ? 4 : Letters.Length)]);
            }

            yield return text.ToString();
        }
    }
}
