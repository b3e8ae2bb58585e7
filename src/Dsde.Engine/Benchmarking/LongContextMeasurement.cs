namespace Dsde.Engine.Benchmarking;

/// <summary>Attention alone, in all layers, over long contexts, beside a plain read of as many bytes.</summary>
/// <param name="Case">Sequences, and rows of each.</param>
/// <param name="Positions">Positions that the last row of each sequence sees.</param>
/// <param name="ByteCount">Keys and values of them in all layers.</param>
/// <param name="AttentionMs">Median, in milliseconds.</param>
/// <param name="ReadRatios">Of each round, its time by that of reading the bytes plainly in the same round.</param>
/// <param name="DecodeRatios">Of each round, its time by that with one row of each sequence; empty where that is this.</param>
public sealed record LongContextMeasurement(
    RooflineCase Case,
    int Positions,
    long ByteCount,
    double AttentionMs,
    IReadOnlyList<double> ReadRatios,
    IReadOnlyList<double> DecodeRatios
);
