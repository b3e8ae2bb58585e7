using System.Globalization;
using System.Text;

namespace Dsde.Engine.Tokenization;

/// <summary>
/// Unicode normalization form C (Unicode Standard Annex 15). .NET's own does nothing where globalization is invariant, as it is in this
/// application: it calls every text normalized. The table beside this file is written from the Unicode Character Database.
/// </summary>
internal sealed class CanonicalComposition
{
    private const int FirstThatCanChange = 0x300;
    private const int SyllableBase = 0xAC00,
        LeadBase = 0x1100,
        VowelBase = 0x1161,
        TailBase = 0x11A7;
    private const int LeadCount = 19,
        VowelCount = 21,
        TailCount = 28;
    private const int SyllableCount = LeadCount * VowelCount * TailCount;

    private static readonly Lazy<CanonicalComposition> Instance = new(() => new CanonicalComposition());

    private readonly Dictionary<int, int[]> _decompositions = [];
    private readonly Dictionary<(int First, int Second), int> _compositions = [];
    private readonly Dictionary<int, int> _classes = [];

    private CanonicalComposition()
    {
        using var table =
            typeof(CanonicalComposition).Assembly.GetManifestResourceStream("CanonicalComposition.txt")
            ?? throw new InvalidOperationException("The table of canonical compositions is not in the assembly.");
        using var reader = new StreamReader(table);
        while (reader.ReadLine() is { } line)
        {
            Add(line);
        }
    }

    /// <summary>The text in form C. Halves of surrogate pairs become U+FFFD, as they do in UTF-8.</summary>
    public static string Normalize(string text) =>
        text.All(character => character < FirstThatCanChange) ? text : Instance.Value.Compose(text);

    private void Add(string line)
    {
        if (line.Split('=', ':') is [var composed, var parts])
        {
            var (whole, split) = (Parse(composed), parts.Split(' ').Select(Parse).ToArray());
            _decompositions.Add(whole, split);
            if (line.Contains('=', StringComparison.Ordinal))
            {
                _compositions.Add((split[0], split[1]), whole);
            }
        }
        else if (line.Split('-', '@') is [var first, var last, var combiningClass])
        {
            for (var code = Parse(first); code <= Parse(last); code++)
            {
                _classes.Add(code, Parse(combiningClass));
            }
        }
    }

    private string Compose(string text)
    {
        var codes = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            Decompose(rune.Value, codes);
        }

        Order(codes);
        Recombine(codes);
        var composed = new StringBuilder(codes.Count);
        foreach (var code in codes)
        {
            composed.Append(new Rune(code).ToString());
        }

        return composed.ToString();
    }

    private void Decompose(int code, List<int> codes)
    {
        if (_decompositions.TryGetValue(code, out var parts))
        {
            foreach (var part in parts)
            {
                Decompose(part, codes);
            }
        }
        else if (code - SyllableBase is >= 0 and < SyllableCount and var syllable)
        {
            codes.Add(LeadBase + (syllable / (VowelCount * TailCount)));
            codes.Add(VowelBase + (syllable / TailCount % VowelCount));
            if (syllable % TailCount > 0)
            {
                codes.Add(TailBase + (syllable % TailCount));
            }
        }
        else
        {
            codes.Add(code);
        }
    }

    /// <summary>Marks behind one character come in the order of their classes; marks of one class keep theirs.</summary>
    private void Order(List<int> codes)
    {
        for (var start = 0; start < codes.Count; start++)
        {
            var end = start;
            while (end < codes.Count && ClassOf(codes[end]) > 0)
            {
                end++;
            }

            if (end - start > 1)
            {
                var ordered = codes.GetRange(start, end - start).OrderBy(ClassOf).ToList();
                for (var i = start; i < end; i++)
                {
                    codes[i] = ordered[i - start];
                }
            }

            start = Math.Max(start, end - 1);
        }
    }

    /// <summary>Joins each mark to the last character before it that has class 0, if no mark of its class or higher lies between.</summary>
    private void Recombine(List<int> codes)
    {
        var (starter, written, lastClass) = (-1, 0, -1);
        for (var i = 0; i < codes.Count; i++)
        {
            var code = codes[i];
            var combiningClass = ClassOf(code);
            var isBlocked = starter >= 0 && written - 1 > starter && lastClass >= combiningClass;
            if (starter >= 0 && !isBlocked && TryCompose(codes[starter], code) is { } composed)
            {
                codes[starter] = composed;
                continue;
            }

            if (combiningClass == 0)
            {
                starter = written;
            }

            lastClass = combiningClass;
            codes[written++] = code;
        }

        codes.RemoveRange(written, codes.Count - written);
    }

    private int? TryCompose(int first, int second)
    {
        if (first - LeadBase is >= 0 and < LeadCount and var lead && second - VowelBase is >= 0 and < VowelCount and var vowel)
        {
            return SyllableBase + (((lead * VowelCount) + vowel) * TailCount);
        }

        if (
            first - SyllableBase is >= 0 and < SyllableCount and var syllable
            && syllable % TailCount == 0
            && second - TailBase is > 0 and < TailCount and var tail
        )
        {
            return first + tail;
        }

        return _compositions.TryGetValue((first, second), out var composed) ? composed : null;
    }

    private int ClassOf(int code) => _classes.GetValueOrDefault(code);

    private static int Parse(string code) => int.Parse(code, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
