namespace Dsde.Grammars.Tokens;

/// <summary>How far an output has got in a grammar. Belongs to the <see cref="TokenGrammar"/> that made it.</summary>
public sealed class GrammarState
{
    internal GrammarState(Reading[] readings, bool isAccepting)
    {
        Readings = readings;
        IsAccepting = isAccepting;
    }

    /// <summary>Whether the output may end here.</summary>
    public bool IsAccepting { get; }

    /// <summary>Whether the output can't go on, so that it is complete.</summary>
    public bool IsComplete => Readings.Length == 0;

    /// <summary>All ways in which the bytes so far can be read.</summary>
    internal Reading[] Readings { get; }

    /// <summary>The states behind each byte, as far as they were asked for.</summary>
    internal GrammarState?[]? Next { get; set; }

    /// <summary>The tokens that may follow, if they were asked for.</summary>
    internal TokenSet? Allowed { get; set; }
}
