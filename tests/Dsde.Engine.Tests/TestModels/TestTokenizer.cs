using System.Text;

namespace Dsde.Engine.Tests.TestModels;

/// <summary>A byte-level BPE of 297 tokens (the bytes by value, then merges) and three special ones.</summary>
internal static class TestTokenizer
{
    /// <summary>ChatML as Qwen's documentation spells it.</summary>
    public const string ChatMl =
        "{%- for message in messages %}\n{{- \"<|im_start|>\" + message[\"role\"] + \"\\n\" + message[\"content\"] + \"<|im_end|>\" + "
        + "\"\\n\" }}\n{%- endfor %}\n"
        + "{%- if add_generation_prompt %}\n{{- \"<|im_start|>assistant\\n\" }}\n{%- endif %}";

    /// <summary>Learned merges in order; each makes the next id from 256 on.</summary>
    public static readonly (string Left, string Right)[] Merges =
    [
        ("t", "h"),
        ("th", "e"),
        (" ", "the"),
        ("i", "n"),
        ("a", "n"),
        ("an", "d"),
        (" ", "and"),
        ("e", "r"),
        ("o", "n"),
        ("r", "e"),
        ("h", "e"),
        (" ", "a"),
        (" ", "w"),
        ("o", "u"),
        ("in", "g"),
        ("e", "s"),
        ("o", "r"),
        (" ", "s"),
        ("l", "l"),
        ("a", "t"),
        ("e", "n"),
        (" ", "b"),
        ("e", "d"),
        ("i", "t"),
        ("Ã", "¤"),
        (" ", "c"),
        ("i", "s"),
        (" ", "f"),
        (" ", "m"),
        ("o", "f"),
        (" ", "of"),
        ("a", "r"),
        (" ", "p"),
        ("i", "c"),
        ("a", "s"),
        ("v", "e"),
        ("l", "e"),
        ("u", "r"),
        ("a", "l"),
        ("s", "t"),
        ("n", "t"),
    ];

    public static void Write(
        string folder,
        object? preTokenizer = null,
        bool mergesAsArrays = false,
        object? normalizer = null,
        string? chatTemplate = ChatMl
    )
    {
        var byteLevel = new
        {
            type = "ByteLevel",
            add_prefix_space = false,
            trim_offsets = true,
            use_regex = true,
        };
        TestModelFolder.WriteJson(
            folder,
            "tokenizer.json",
            new
            {
                version = "1.0",
                added_tokens = new[]
                {
                    Special(TestModelFolder.TurnStart, "<|im_start|>"),
                    Special(TestModelFolder.TurnEnd, "<|im_end|>"),
                    Special(TestModelFolder.TextEnd, "<|endoftext|>"),
                },
                normalizer,
                pre_tokenizer = preTokenizer ?? byteLevel,
                decoder = byteLevel,
                model = new
                {
                    type = "BPE",
                    vocab = Vocabulary(),
                    merges = Merges
                        .Select(merge =>
                            mergesAsArrays
                                ? (object)new[] { Show(merge.Left), Show(merge.Right) }
                                : $"{Show(merge.Left)} {Show(merge.Right)}"
                        )
                        .ToArray(),
                },
            }
        );
        TestModelFolder.WriteJson(folder, "tokenizer_config.json", new { chat_template = chatTemplate });
    }

    private static Dictionary<string, int> Vocabulary()
    {
        var vocabulary = Enumerable.Range(0, 256).ToDictionary(value => ShowByte((byte)value).ToString(), value => value);
        foreach (var (left, right) in Merges)
        {
            vocabulary.Add(Show(left) + Show(right), vocabulary.Count);
        }

        return vocabulary;
    }

    private static object Special(int id, string content) =>
        new
        {
            id,
            content,
            special = true,
            normalized = false,
        };

    /// <summary>Latin-1 characters as the byte alphabet shows them.</summary>
    private static string Show(string text) => string.Concat(Encoding.Latin1.GetBytes(text).Select(ShowByte));

    public static char ShowByte(byte value)
    {
        static bool IsPrintable(int value) => value is (>= 33 and <= 126) or (>= 161 and <= 172) or (>= 174 and <= 255);
        return (char)(IsPrintable(value) ? value : 256 + Enumerable.Range(0, value).Count(earlier => !IsPrintable(earlier)));
    }
}
