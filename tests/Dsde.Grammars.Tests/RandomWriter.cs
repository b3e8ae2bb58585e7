using System.Text;
using Dsde.Grammars.Tokens;

namespace Dsde.Grammars.Tests;

/// <summary>A writer with a taste of its own that knows nothing of any grammar, held to one by the tokens that are allowed.</summary>
internal sealed class RandomWriter
{
    private static readonly string[] Pieces =
    [
        "{\"",
        "\":",
        "\": ",
        ",\"",
        ", \"",
        "\"}",
        "\"]",
        "\",\"",
        "[[",
        "]]",
        "{{",
        "}}",
        "\"},",
        "null",
        "true",
        "false",
        "},{\"",
        "00",
        "12",
        "345",
        "-1",
        "0.5",
        "e1",
        "the",
        " the",
        "ing",
        "\\n",
        "\\\"",
        "\\\\",
        "\\u",
        "ä",
        "é",
        "漢",
        "字",
        "😀",
        "a",
        "abc",
        "abcd",
        "ABC",
        "\": \"",
        "\":\"",
        "\n",
        "  ",
        "2024",
        "-01-",
        "T12:",
        ":00",
        "Z",
        "name",
        "id",
        "value",
        "kind",
        "[\"",
        "\"\"",
        "[]",
        "{}",
        "],[",
        "1,",
        ",1",
        "1}",
        "x\"",
        "\"x\"",
    ];

    private static readonly byte[][] Tokens =
    [
        .. Enumerable.Range(0, 256).Select(value => (byte[])[(byte)value]),
        .. Pieces.Select(Encoding.UTF8.GetBytes),
        "\xE6\xBC"u8.ToArray()[1..3],
        [],
    ];

    private static readonly int End = Tokens.Length - 1;
    private static readonly TokenVocabulary Vocabulary = new(Tokens);
    private readonly Random _random;
    private readonly double[] _taste;

    public RandomWriter(int seed)
    {
        _random = new Random(seed);
        _taste = [.. Tokens.Select(token => _random.NextDouble() * (token.Length > 1 ? 2 : 1) * (token is [> 127, ..] ? 0.3 : 1))];
    }

    /// <summary>An output; null if the writer would not come to an end.</summary>
    /// <param name="grammar">What it is held to.</param>
    /// <param name="isStubborn">Whether it always takes what it likes best, or draws.</param>
    public string? Write(Grammar grammar, bool isStubborn)
    {
        const int mostTokens = 1500;
        var tokens = new TokenGrammar(grammar, Vocabulary, [End]);
        var state = tokens.Start;
        var written = new List<byte>();
        for (var count = 0; count < mostTokens; count++)
        {
            var allowed = tokens.Allowed(state);
            if (state.IsComplete)
            {
                allowed.Count.ShouldBe(1);
                return Encoding.UTF8.GetString([.. written]);
            }

            allowed.Count.ShouldBeGreaterThan(0);
            var token = Choose(allowed, isStubborn, hurry: count / 200.0);
            if (token == End)
            {
                state.IsAccepting.ShouldBeTrue();
                return Encoding.UTF8.GetString([.. written]);
            }

            state = tokens.Advance(state, token).ShouldNotBeNull();
            written.AddRange(Tokens[token]);
        }

        return null;
    }

    private int Choose(TokenSet allowed, bool isStubborn, double hurry)
    {
        var ids = Enumerable.Range(0, Tokens.Length).Where(allowed.Contains);
        return isStubborn
            ? ids.MaxBy(id => _taste[id] + Haste(id, hurry))
            : ids.MaxBy(id => _taste[id] + Haste(id, hurry) - Math.Log(-Math.Log(_random.NextDouble())));
    }

    /// <summary>Even who likes to go on for ever grows tired.</summary>
    private static double Haste(int id, double hurry) =>
        id == End || Tokens[id].Any(value => value is (byte)'"' or (byte)'}' or (byte)']') ? hurry : 0;
}
