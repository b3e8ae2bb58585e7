using System.Text;

namespace Dsde.Engine.Tests.TestModels;

/// <summary>A made-up byte-level vocabulary of any size, with words, numbers, punctuation and scripts as real ones have them.</summary>
internal static class LargeTokenizer
{
    private static readonly string[] Joints =
    [
        "{\"",
        "\":",
        "\":\"",
        "\", \"",
        "\",\"",
        "\"}",
        "\"},{\"",
        "\": ",
        "]}",
        "[[",
        "\"]",
        "\\n",
        "\\\"",
        "...",
        "--",
    ];

    /// <summary>The bytes of each token.</summary>
    public static IReadOnlyList<byte[]> MakeTokens(int size)
    {
        var random = new Random(11);
        var texts = new HashSet<string>(Enumerable.Range(0, 128).Select(value => $"{(char)value}"));
        texts.UnionWith(Joints);
        while (texts.Count < size - 128)
        {
            texts.Add(MakeUp(random));
        }

        return [.. texts.Select(Encoding.UTF8.GetBytes), .. Enumerable.Range(128, 128).Select(value => (byte[])[(byte)value])];
    }

    /// <summary>Replaces the tokenizer of a folder.</summary>
    public static void Write(string folder, int size)
    {
        TestModelFolder.WriteJson(
            folder,
            "tokenizer.json",
            new
            {
                version = "1.0",
                added_tokens = Array.Empty<object>(),
                pre_tokenizer = new
                {
                    type = "ByteLevel",
                    add_prefix_space = false,
                    use_regex = true,
                },
                decoder = new { type = "ByteLevel" },
                model = new
                {
                    type = "BPE",
                    vocab = MakeTokens(size).Select((token, id) => (Show(token), id)).ToDictionary(),
                    merges = Array.Empty<string>(),
                },
            }
        );
    }

    private static string MakeUp(Random random) =>
        random.Next(20) switch
        {
            0 => $"{random.Next(1000)}",
            1 => Joints[random.Next(Joints.Length)] + Word(random, 1, 4),
            2 => Word(random, 1, 6) + Joints[random.Next(Joints.Length)],
            3 or 4 => string.Concat(Enumerable.Range(0, random.Next(1, 4)).Select(_ => (char)random.Next(0x4E00, 0x9FFF))),
            5 => string.Concat(Enumerable.Range(0, random.Next(2, 8)).Select(_ => (char)random.Next(0x430, 0x44F))),
            6 or 7 => char.ToUpperInvariant((char)('a' + random.Next(26))) + Word(random, 2, 9),
            8 => Word(random, 2, 6) + char.ToUpperInvariant((char)('a' + random.Next(26))) + Word(random, 1, 6),
            < 15 => " " + Word(random, 1, 11),
            _ => Word(random, 2, 10),
        };

    private static string Word(Random random, int least, int most) =>
        string.Concat(Enumerable.Range(0, random.Next(least, most + 1)).Select(_ => (char)('a' + random.Next(26))));

    private static string Show(byte[] bytes) => string.Concat(bytes.Select(TestTokenizer.ShowByte));
}
