namespace Dsde.Engine.Benchmarking;

/// <summary>A pass to be measured.</summary>
/// <param name="SequenceCount">Sequences in it, at least 1.</param>
/// <param name="RowsPerSequence">Rows of each: 1 for plain decoding, k + 1 for a verification of k proposals.</param>
public readonly record struct RooflineCase(int SequenceCount, int RowsPerSequence)
{
    /// <summary>Rows of the pass.</summary>
    public int RowCount => SequenceCount * RowsPerSequence;
}
