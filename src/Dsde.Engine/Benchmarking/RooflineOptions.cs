namespace Dsde.Engine.Benchmarking;

/// <summary>What <see cref="Roofline"/> measures.</summary>
public sealed record RooflineOptions
{
    /// <summary>The passes.</summary>
    /// <value>The default is 1, 8, 16 and 32 sequences with one row each, and 1 and 8 with five.</value>
    public IReadOnlyList<RooflineCase> Cases { get; init; } = [new(1, 1), new(1, 5), new(8, 1), new(16, 1), new(32, 1), new(8, 5)];

    /// <summary>Tokens each sequence has before the pass.</summary>
    /// <value>The default is 96.</value>
    public int ContextLength { get; init; } = 96;

    /// <summary>
    /// Sequences of long contexts: their attention alone is measured with one row of each and with five, and working their prompts through.
    /// </summary>
    /// <value>The default is 8; 0 measures none of it.</value>
    public int LongSequenceCount { get; init; } = 8;

    /// <summary>Tokens of each of them, or as many as the target allows.</summary>
    /// <value>The default is 1500.</value>
    public int LongContextLength { get; init; } = 1500;

    /// <summary>Rounds; every quantity is measured once in each, and the median is taken.</summary>
    /// <value>The default is 15.</value>
    public int Repetitions { get; init; } = 15;

    /// <summary>Whether iterations of the whole engine are measured too; takes longer, and a folder with a tokenizer.</summary>
    /// <value>The default is true.</value>
    public bool MeasuresIterations { get; init; } = true;
}
