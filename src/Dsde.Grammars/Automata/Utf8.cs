namespace Dsde.Grammars.Automata;

/// <summary>Scalar values as the bytes of UTF-8.</summary>
internal static class Utf8
{
    private static readonly int[] LastOfLength = [0x7F, 0x7FF, 0xFFFF];

    /// <summary>One scalar value of a set.</summary>
    public static Pattern Encode(ScalarSet set)
    {
        var options = new List<Pattern>();
        foreach (var (first, last) in set.Ranges)
        {
            Add(first, last, options);
        }

        return options.Count == 1 ? options[0] : new Pattern.Choice(options);
    }

    /// <summary>
    /// Splits a range until first and last have equally many bytes and every byte but the leading ones that are equal runs over all of its
    /// values: then the range is one range per byte.
    /// </summary>
    private static void Add(int first, int last, List<Pattern> options)
    {
        if (first > last)
        {
            return;
        }

        foreach (var border in LastOfLength)
        {
            if (first <= border && last > border)
            {
                Add(first, border, options);
                Add(border + 1, last, options);
                return;
            }
        }

        Span<byte> start = stackalloc byte[4];
        Span<byte> end = stackalloc byte[4];
        var length = new System.Text.Rune(first).EncodeToUtf8(start);
        for (var i = 1; i < length; i++)
        {
            var mask = (1 << (6 * i)) - 1;
            if ((first & ~mask) == (last & ~mask))
            {
                continue;
            }

            if ((first & mask) != 0)
            {
                Add(first, first | mask, options);
                Add((first | mask) + 1, last, options);
                return;
            }

            if ((last & mask) != mask)
            {
                Add(first, (last & ~mask) - 1, options);
                Add(last & ~mask, last, options);
                return;
            }
        }

        new System.Text.Rune(last).EncodeToUtf8(end);
        var parts = new Pattern[length];
        for (var i = 0; i < length; i++)
        {
            parts[i] = new Pattern.Range(start[i], end[i]);
        }

        options.Add(new Pattern.Sequence(parts));
    }
}
