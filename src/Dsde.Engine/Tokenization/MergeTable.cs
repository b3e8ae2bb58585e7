namespace Dsde.Engine.Tokenization;

/// <summary>Which neighbouring tokens become one, and in which order: the lower rank first.</summary>
internal sealed class MergeTable
{
    private readonly Dictionary<long, (int Rank, int Id)> _merges;

    public MergeTable(int capacity) => _merges = new Dictionary<long, (int, int)>(capacity);

    /// <summary>Adds a merge; of two merges of one pair the first counts.</summary>
    /// <param name="left">Left token id, from 0.</param>
    /// <param name="right">Right token id, from 0.</param>
    /// <param name="rank">Order among all merges; pairs may share one.</param>
    /// <param name="id">The token they become.</param>
    public void Add(int left, int right, int rank, int id) => _merges.TryAdd(Key(left, right), (rank, id));

    /// <summary>What two neighbours become; false if they stay apart, as everything with a negative id does.</summary>
    public bool TryFind(int left, int right, out (int Rank, int Id) merge) => _merges.TryGetValue(Key(left, right), out merge);

    private static long Key(int left, int right) => ((long)left << 32) | (uint)right;
}
