namespace Dsde.Engine.Tokenization;

/// <summary>Tokens of a text as they come: ids, and where wanted the characters that each stands for.</summary>
internal sealed class TokenList(bool keepsPlaces)
{
    private readonly List<(int Start, int End)> _places = [];

    /// <summary>Whether <see cref="Places"/> are kept.</summary>
    public bool KeepsPlaces => keepsPlaces;

    /// <summary>The ids.</summary>
    public List<int> Ids { get; } = [];

    /// <summary>The characters that each id stands for, in the normalized text; empty where they are not kept.</summary>
    public IReadOnlyList<(int Start, int End)> Places => _places;

    /// <summary>Adds a token that stands for characters from one to another, without the latter.</summary>
    public void Add(int id, int start, int end)
    {
        Ids.Add(id);
        if (keepsPlaces)
        {
            _places.Add((start, end));
        }
    }

    /// <summary>Merges symbols and adds what is left.</summary>
    /// <param name="symbols">Ids to start from; overwritten.</param>
    /// <param name="merges">The merges.</param>
    /// <param name="places">The characters that each symbol stands for, which bytes of one character share; empty where places are not
    /// kept.</param>
    public void AddMerged(Span<int> symbols, MergeTable merges, List<(int Start, int End)> places)
    {
        if (!keepsPlaces)
        {
            SymbolMerger.Merge(symbols, merges, Ids);
            return;
        }

        var counts = new List<int>();
        SymbolMerger.Merge(symbols, merges, Ids, counts);
        var first = 0;
        foreach (var count in counts)
        {
            _places.Add((places[first].Start, places[first + count - 1].End));
            first += count;
        }
    }

    /// <summary>Drops what lies behind the first tokens.</summary>
    public void Truncate(int count)
    {
        if (count < Ids.Count)
        {
            Ids.RemoveRange(count, Ids.Count - count);
            _places.RemoveRange(Math.Min(count, _places.Count), Math.Max(0, _places.Count - count));
        }
    }
}
