using System.Text;
using System.Text.RegularExpressions;

namespace Dsde.Engine.Tests.Tokenization;

/// <summary>
/// Byte-level BPE, plain and slow: trains merges on words, and encodes by looking for the best pair of the whole word again and again.
/// Shares nothing with the engine.
/// </summary>
internal sealed class ReferenceBpe
{
    public const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
    public const string Llama3 =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    public const string Qwen =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private readonly Regex _pattern;

    public ReferenceBpe(string pattern, string corpus, int mergeCount)
    {
        _pattern = new Regex(pattern, RegexOptions.CultureInvariant);
        for (var value = 0; value < 256; value++)
        {
            Vocabulary.Add(Show((byte)value), value);
        }

        var words = Words(corpus).ToList();
        while (Merges.Count < mergeCount)
        {
            var best = words
                .SelectMany(word => word.Zip(word.Skip(1)))
                .CountBy(pair => pair)
                .OrderByDescending(pair => pair.Value)
                .ThenBy(pair => pair.Key.First + pair.Key.Second, StringComparer.Ordinal)
                .First()
                .Key;
            Merges.Add(best);
            Vocabulary.TryAdd(best.First + best.Second, Vocabulary.Count);
            words = [.. words.Select(word => Apply(word, best))];
        }
    }

    /// <summary>Ids by text in the byte alphabet.</summary>
    public Dictionary<string, int> Vocabulary { get; } = new(StringComparer.Ordinal);

    public List<(string First, string Second)> Merges { get; } = [];

    /// <summary>Whether a word that is a token is taken without merging.</summary>
    public bool IgnoresMerges { get; init; }

    public int[] Encode(string text) => [.. Words(text).SelectMany(word => EncodeWord(word)).Select(token => Vocabulary[token])];

    public object Model() =>
        new
        {
            type = "BPE",
            vocab = Vocabulary,
            merges = Merges.Select(merge => new[] { merge.First, merge.Second }).ToArray(),
            ignore_merges = IgnoresMerges,
        };

    private List<string> EncodeWord(List<string> word)
    {
        if (IgnoresMerges && Vocabulary.ContainsKey(string.Concat(word)))
        {
            return [string.Concat(word)];
        }

        foreach (var merge in Merges)
        {
            word = Apply(word, merge);
        }

        return word;
    }

    private IEnumerable<List<string>> Words(string text) =>
        _pattern.Matches(text).Select(match => Encoding.UTF8.GetBytes(match.Value).Select(Show).ToList());

    private static List<string> Apply(List<string> word, (string First, string Second) merge)
    {
        var result = new List<string>();
        for (var i = 0; i < word.Count; i++)
        {
            if (i + 1 < word.Count && word[i] == merge.First && word[i + 1] == merge.Second)
            {
                result.Add(word[i] + word[++i]);
            }
            else
            {
                result.Add(word[i]);
            }
        }

        return result;
    }

    private static string Show(byte value)
    {
        static bool IsPrintable(int value) => value is (>= 33 and <= 126) or (>= 161 and <= 172) or (>= 174 and <= 255);
        return ((char)(IsPrintable(value) ? value : 256 + Enumerable.Range(0, value).Count(earlier => !IsPrintable(earlier)))).ToString();
    }
}
