namespace Dsde.Engine.Iteration;

/// <summary>
/// Proposals that are known before an iteration begins, without any distribution: of the ranks whose proposals come from lookup, rank by
/// rank.
/// </summary>
internal sealed class LookedUpTokens
{
    private readonly int[] _starts;

    /// <param name="proposals">Of each rank; empty where the draft proposes, or nobody.</param>
    public LookedUpTokens(IReadOnlyList<int[]> proposals)
    {
        _starts = new int[proposals.Count];
        for (var rank = 1; rank < proposals.Count; rank++)
        {
            _starts[rank] = _starts[rank - 1] + proposals[rank - 1].Length;
        }

        TokenIds = [.. proposals.SelectMany(ofRank => ofRank).Select(id => (long)id)];
    }

    /// <summary>All of them.</summary>
    public long[] TokenIds { get; }

    /// <summary>How many.</summary>
    public int Count => TokenIds.Length;

    /// <summary>Place of a rank's proposal among <see cref="TokenIds"/>.</summary>
    public int IndexOf(int place, int rank) => _starts[rank] + place;
}
