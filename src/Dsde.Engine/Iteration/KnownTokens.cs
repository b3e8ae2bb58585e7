namespace Dsde.Engine.Iteration;

/// <summary>
/// Proposals that are known before an iteration begins, without any distribution: what grammars force, and behind it what lookup has
/// found; rank by rank.
/// </summary>
internal sealed class KnownTokens
{
    private readonly int[] _starts;

    /// <param name="proposals">Of each rank, the first of its block; empty where there are none.</param>
    public KnownTokens(IReadOnlyList<int[]> proposals)
    {
        _starts = new int[proposals.Count + 1];
        for (var rank = 0; rank < proposals.Count; rank++)
        {
            _starts[rank + 1] = _starts[rank] + proposals[rank].Length;
        }

        TokenIds = [.. proposals.SelectMany(ofRank => ofRank).Select(id => (long)id)];
    }

    /// <summary>All of them.</summary>
    public long[] TokenIds { get; }

    /// <summary>How many.</summary>
    public int Count => TokenIds.Length;

    /// <summary>How many of a rank.</summary>
    public int LengthOf(int rank) => _starts[rank + 1] - _starts[rank];

    /// <summary>Place of a rank's proposal among <see cref="TokenIds"/>.</summary>
    public int IndexOf(int place, int rank) => _starts[rank] + place;
}
