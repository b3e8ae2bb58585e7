namespace Dsde.Grammars.Automata;

/// <summary>A set of byte strings, as an expression.</summary>
internal abstract record Pattern
{
    /// <summary>The empty string alone.</summary>
    public static Pattern Empty { get; } = new Sequence([]);

    /// <summary>No string at all.</summary>
    public static Pattern Nothing { get; } = new Choice([]);

    /// <summary>One byte of a range.</summary>
    public sealed record Range(byte First, byte Last) : Pattern;

    /// <summary>One after the other.</summary>
    public sealed record Sequence(IReadOnlyList<Pattern> Parts) : Pattern;

    /// <summary>Any of several.</summary>
    public sealed record Choice(IReadOnlyList<Pattern> Options) : Pattern;

    /// <summary>The same several times. <paramref name="Most"/>: null for no limit.</summary>
    public sealed record Repeat(Pattern Item, int Least, int? Most) : Pattern;

    /// <summary>A byte string.</summary>
    public static Pattern Of(ReadOnlySpan<byte> bytes)
    {
        var parts = new Pattern[bytes.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = new Range(bytes[i], bytes[i]);
        }

        return new Sequence(parts);
    }

    /// <summary>One after the other.</summary>
    public static Pattern Join(params Pattern[] parts) => new Sequence(parts);

    /// <summary>Once or not at all.</summary>
    public static Pattern Optional(Pattern item) => new Repeat(item, 0, 1);
}
