using System.Globalization;
using System.Text;
using Dsde.Testing;

namespace Dsde.Engine.Tests.Tokenization;

/// <summary>Texts as they come: of people, of programs, and of nobody.</summary>
internal static class TokenizerTexts
{
    private const int MostPieces = 24;

    /// <summary>Scripts and signs: first and last character of a range.</summary>
    private static readonly (int First, int Last)[] Ranges =
    [
        (0x20, 0x7e),
        (0x20, 0x7e),
        (0xa0, 0x24f), // Latin
        (0x300, 0x36f), // marks that combine
        (0x370, 0x3ff),
        (0x400, 0x4ff),
        (0x590, 0x5ff),
        (0x600, 0x6ff),
        (0x900, 0x97f),
        (0xe00, 0xe7f),
        (0x1100, 0x11ff), // Hangul in parts
        (0x2000, 0x206f), // spaces, joiners, directions
        (0x2070, 0x218f), // numbers that are no digits
        (0x2190, 0x2bff),
        (0x3040, 0x30ff),
        (0x4e00, 0x9fff),
        (0xac00, 0xd7a3),
        (0xf900, 0xfaff), // of which many compose to others
        (0xfe00, 0xffef),
        (0x1d400, 0x1d7ff),
        (0x1f300, 0x1faff),
        (0x20000, 0x2a6df),
    ];

    private static readonly string[] Pieces =
    [
        " ",
        "  ",
        "    ",
        "\t",
        "\n",
        "\n\n",
        "\r\n",
        " \n",
        "\n ",
        "\u00a0",
        "\u3000",
        "\u0085",
        "\u2028",
        "'s",
        "'S",
        "'re",
        "'LL",
        "\u2019t",
        "ſ",
        "0",
        "12",
        "345",
        "67890123",
        "1,234.56",
        "٣",
        "½",
        "Ⅷ",
        "e\u0301",
        "A\u030a\u0301",
        "한",
        "ﬁ",
        "İ",
        "ß",
        "Dž",
        "👩‍👩‍👧‍👦",
        "👍🏽",
        "🇩🇪",
        "(){}[];",
        "//",
        "->",
        "!!!",
        "…",
        "_",
        "__init__",
        "▁",
        "▁▁",
        "<0x0A>",
        "</s>",
        "<s>",
        "<|endoftext|>",
        "<|im_end|>",
        "<unk>",
        "\0",
        "\u001b[0m",
        "\ufeff",
        "\ufffd",
        "\u200b",
        "\u200d",
        "http://example.org/a?b=c&d=%20",
        "camelCaseWord",
        "ALLCAPS",
        "snake_case_word",
    ];

    /// <summary>The same ones for the same seed.</summary>
    public static IEnumerable<string> Generate(int count, int seed)
    {
        var random = new Random(seed);
        var words = File.ReadAllText(TokenizerFolder.Fixture("corpus.txt")).Split(' ');
        string[] lines = [.. Directory.EnumerateFiles(Repository.PathOf("samples"), "*.jsonl").Order().SelectMany(File.ReadLines)];
        yield return "";
        for (var i = 1; i < count; i++)
        {
            yield return (i % 4) switch
            {
                0 => Slice(lines[random.Next(lines.Length)], random),
                1 => Join(random, () => words[random.Next(words.Length)] + " "),
                2 => Join(random, () => Piece(random)),
                _ => Join(random, () => random.Next(2) == 0 ? words[random.Next(words.Length)] : Piece(random)),
            };
        }
    }

    private static string Join(Random random, Func<string> next) =>
        string.Concat(Enumerable.Range(0, random.Next(1, MostPieces)).Select(_ => next()));

    private static string Piece(Random random) =>
        random.Next(2) == 0 ? Pieces[random.Next(Pieces.Length)] : Characters(random, Ranges[random.Next(Ranges.Length)]);

    /// <summary>Characters that this version of .NET knows; newer ones are letters to one library and nothing to another.</summary>
    private static string Characters(Random random, (int First, int Last) range)
    {
        var text = new StringBuilder();
        for (var left = random.Next(1, 6); left > 0; left--)
        {
            var rune = new Rune(random.Next(range.First, range.Last + 1));
            if (Rune.GetUnicodeCategory(rune) != UnicodeCategory.OtherNotAssigned)
            {
                text.Append(rune);
            }
        }

        return text.ToString();
    }

    /// <summary>Part of a line, cut between characters.</summary>
    private static string Slice(string line, Random random)
    {
        var runes = line.EnumerateRunes().ToArray();
        var start = random.Next(runes.Length);
        return string.Concat(runes.Skip(start).Take(random.Next(1, 400)));
    }
}
