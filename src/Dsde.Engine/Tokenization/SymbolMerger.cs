namespace Dsde.Engine.Tokenization;

/// <summary>
/// Byte-pair merging (Sennrich et al. 2016): the pair of lowest rank is merged first, of equal ones the leftmost. A queue of candidates
/// makes it n·log n in the word's length: SentencePiece models treat a whole prompt as one word.
/// </summary>
internal static class SymbolMerger
{
    private const int None = -1;

    /// <summary>Merges as far as the table goes and appends the ids that are left.</summary>
    /// <param name="symbols">Ids to start from; overwritten.</param>
    /// <param name="merges">The merges.</param>
    /// <param name="ids">Takes the result.</param>
    /// <param name="counts">Takes how many symbols have become each id; null if that is not wanted.</param>
    public static void Merge(Span<int> symbols, MergeTable merges, List<int> ids, List<int>? counts = null)
    {
        if (symbols.Length > 1)
        {
            MergeLinked(symbols, merges, ids, counts);
        }
        else if (symbols.Length == 1)
        {
            ids.Add(symbols[0]);
            counts?.Add(1);
        }
    }

    private static void MergeLinked(Span<int> symbols, MergeTable merges, List<int> ids, List<int>? counts)
    {
        var (next, previous) = (new int[symbols.Length], new int[symbols.Length]);
        var candidates = new PriorityQueue<(int Left, int LeftId, int RightId, int Id), long>();
        for (var i = 0; i < symbols.Length; i++)
        {
            next[i] = i + 1 < symbols.Length ? i + 1 : None;
            previous[i] = i - 1;
            Propose(candidates, symbols, merges, i, next[i]);
        }

        while (candidates.TryDequeue(out var candidate, out _))
        {
            var left = candidate.Left;
            var right = symbols[left] == candidate.LeftId ? next[left] : None;
            if (right == None || symbols[right] != candidate.RightId)
            {
                continue; // one of the two has been merged with its other neighbour since
            }

            symbols[left] = candidate.Id;
            symbols[right] = None;
            next[left] = next[right];
            if (next[left] != None)
            {
                previous[next[left]] = left;
            }

            Propose(candidates, symbols, merges, previous[left], left);
            Propose(candidates, symbols, merges, left, next[left]);
        }

        for (var i = 0; i != None; i = next[i])
        {
            ids.Add(symbols[i]);
            counts?.Add((next[i] == None ? symbols.Length : next[i]) - i);
        }
    }

    private static void Propose(
        PriorityQueue<(int, int, int, int), long> candidates,
        Span<int> symbols,
        MergeTable merges,
        int left,
        int right
    )
    {
        if (left != None && right != None && merges.TryFind(symbols[left], symbols[right], out var merge))
        {
            candidates.Enqueue((left, symbols[left], symbols[right], merge.Id), ((long)merge.Rank << 32) | (uint)left);
        }
    }
}
