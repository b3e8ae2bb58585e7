using System.Text;
using Dsde.Grammars.Automata;
using Dsde.Grammars.Tokens;

namespace Dsde.Grammars.Tests;

public sealed class TokenTests
{
    private static readonly string[] Texts =
    [
        "{\"",
        "a",
        "ab",
        "abc",
        "\"",
        "\":",
        "\"}",
        "}",
        "{",
        "x\"}",
        "1",
        "12",
        "",
        "ab",
        "😀",
        "null",
        ": ",
    ];
    private static readonly TokenVocabulary Vocabulary = new([.. Texts.Select(Encoding.UTF8.GetBytes)]);
    private static readonly int End = Array.IndexOf(Texts, "");

    [Fact]
    public void Tokens_that_the_grammar_takes_whole_are_allowed_across_rules_and_those_of_the_same_bytes_alike()
    {
        var tokens = Create("""{"type":"object","properties":{"ab":{"type":["string","integer","null"]}},"required":["ab"]}""");

        Allowed(tokens, tokens.Start).ShouldBe(["{", "{\""]);
        var named = Advance(tokens, tokens.Start, "{\"");
        Allowed(tokens, named).ShouldBe(["a", "ab", "ab"]);
        var value = Advance(tokens, named, "ab", "\":");
        Allowed(tokens, value).ShouldBe(["\"", "\":", "\"}", "1", "12", "null"]); // a colon or a brace may begin a text
        Allowed(tokens, Advance(tokens, value, "\""))
            .ShouldBe(["\"", "\"}", "1", "12", ": ", "a", "ab", "ab", "abc", "null", "x\"}", "{", "{\"", "}", "😀"]);
        Allowed(tokens, Advance(tokens, value, "12")).ShouldBe(["1", "12", "}"]);
        Advance(tokens, value, "null", "}").IsComplete.ShouldBeTrue();
        Allowed(tokens, Advance(tokens, value, "null", "}")).ShouldBe([""]);
        tokens.Advance(value, End).ShouldBeNull();
    }

    [Fact]
    public void What_is_allowed_in_a_state_is_found_once_and_shared_by_states_that_no_token_can_tell_apart()
    {
        var tokens = Create("""{"type":"string","minLength":2,"maxLength":30}""");
        var state = Advance(tokens, tokens.Start, "\"", "abc");

        var allowed = tokens.Allowed(state);

        tokens.Allowed(Advance(tokens, tokens.Start, "\"", "abc")).ShouldBeSameAs(allowed);
        tokens.Allowed(Advance(tokens, state, "abc", "abc")).ShouldBeSameAs(allowed);
        var near = Advance(tokens, state, [.. Enumerable.Repeat("abc", 8), "ab"]); // 29 of 30
        tokens.Allowed(near).ShouldNotBeSameAs(allowed);
        Allowed(tokens, near).ShouldBe(["\"", "1", "a", "{", "{\"", "}", "😀"]);
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(2, 5)]
    [InlineData(4, 4)]
    [InlineData(3, null)]
    public void In_strings_of_bounded_length_tokens_do_what_a_walk_of_the_automaton_finds(int least, int? most)
    {
        var texts = new TokenVocabulary([
            .. Texts
                .Concat(["\"ab\",", "é", "éé\"", "\\n", "\\n\\\"x", "abcde", "\"\"", "abc\"}}"])
                .Select(Encoding.UTF8.GetBytes)
                .Append([0xC3])
                .Append([0xA9])
                .Append([0xA9, (byte)'a', (byte)'"', (byte)',']),
        ]);
        var text = new BoundedString(least, most);
        var states = new HashSet<int> { text.Start };
        foreach (var prefix in (string[])["\"", "\"a", "\"ab", "\"abc", "\"abcd", "\"abcde", "\"\\", "\"ab\\", "\"aé", "\"é\\n"])
        {
            var state = text.Start;
            foreach (var value in Encoding.UTF8.GetBytes(prefix).TakeWhile(_ => state >= 0))
            {
                state = text.Next(state, value);
                states.Add(state);
            }
        }

        foreach (var state in states.Where(state => state >= 0 && text.GoesOn(state)))
        {
            var walked = TerminalWalk.Run(texts, text, state);
            var (inner, needed, left) = text.LeftAt(state);

            var found = texts.InStrings(inner).Within(needed, left);

            found.Inside.Ids.ToArray().ShouldBe(walked.Inside.Ids.ToArray());
            found.Exits.ShouldBe(walked.Exits);
        }
    }

    [Fact]
    public void What_was_forgotten_to_bound_memory_is_found_again()
    {
        // Every place in a long expression is a state of its own.
        var bytes = new TokenGrammar(
            Outputs.Schema("""{"type":"array","items":{"type":"integer"},"minItems":9000,"maxItems":9001}"""),
            new TokenVocabulary([.. Enumerable.Range(0, 256).Select(value => (byte[])[(byte)value])]),
            []
        );
        for (var run = 0; run < 2; run++)
        {
            var state = bytes.Start;
            foreach (var value in Encoding.ASCII.GetBytes("[" + string.Join(", ", Enumerable.Repeat("17", 9000)) + "]"))
            {
                bytes.Allowed(state).Contains(value).ShouldBeTrue();
                state = bytes.Advance(state, value).ShouldNotBeNull();
            }

            state.IsComplete.ShouldBeTrue();
        }
    }

    private static TokenGrammar Create(string schema) => new(Outputs.Schema(schema), Vocabulary, [End]);

    private static GrammarState Advance(TokenGrammar tokens, GrammarState state, params string[] texts) =>
        texts.Aggregate(state, (reached, text) => tokens.Advance(reached, Array.IndexOf(Texts, text)).ShouldNotBeNull(text));

    private static List<string> Allowed(TokenGrammar tokens, GrammarState state) =>
        [.. Enumerable.Range(0, Texts.Length).Where(tokens.Allowed(state).Contains).Select(id => Texts[id]).Order(StringComparer.Ordinal)];
}
