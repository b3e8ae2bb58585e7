namespace Dsde.Grammars.Tokens;

/// <summary>
/// The bytes of all tokens as a tree, in the order in which it is walked: a node's descendants stand behind it, up to <see cref="EndOf"/>.
/// </summary>
internal sealed class TokenTrie
{
    private readonly byte[] _values;
    private readonly int[] _depths;
    private readonly int[] _ends;
    private readonly int[] _firstTokens;
    private readonly int[] _nextTokens;

    /// <param name="bytesOf">Bytes of each id; none of an id that is no text.</param>
    public TokenTrie(IReadOnlyList<ReadOnlyMemory<byte>> bytesOf)
    {
        var ids = Enumerable.Range(0, bytesOf.Count).Where(id => bytesOf[id].Length > 0).ToArray();
        Array.Sort(ids, (a, b) => bytesOf[a].Span.SequenceCompareTo(bytesOf[b].Span) is not 0 and var order ? order : a.CompareTo(b));
        List<byte> values = [];
        List<int> depths = [];
        List<int> tokens = [];
        _nextTokens = new int[bytesOf.Count];
        Array.Fill(_nextTokens, -1);
        ReadOnlyMemory<byte> before = default;
        var last = -1;
        foreach (var id in ids)
        {
            var bytes = bytesOf[id].Span;
            var shared = before.Span.CommonPrefixLength(bytes);
            if (shared == bytes.Length)
            {
                _nextTokens[last] = id; // the same bytes as the one before
            }
            else
            {
                for (var depth = shared; depth < bytes.Length; depth++)
                {
                    values.Add(bytes[depth]);
                    depths.Add(depth);
                    tokens.Add(-1);
                }

                tokens[^1] = id;
            }

            (before, last) = (bytesOf[id], id);
        }

        _values = [.. values];
        _depths = [.. depths];
        _firstTokens = [.. tokens];
        _ends = FindEnds(_depths);
        MaxDepth = depths.DefaultIfEmpty(-1).Max() + 1;
    }

    /// <summary>Nodes there are.</summary>
    public int Count => _values.Length;

    /// <summary>Bytes of the longest token.</summary>
    public int MaxDepth { get; }

    /// <summary>The byte that leads to a node.</summary>
    public byte ValueOf(int node) => _values[node];

    /// <summary>Bytes before a node's own.</summary>
    public int DepthOf(int node) => _depths[node];

    /// <summary>The first node behind a node's descendants.</summary>
    public int EndOf(int node) => _ends[node];

    /// <summary>A token that ends at a node; −1 if none does.</summary>
    public int TokenAt(int node) => _firstTokens[node];

    /// <summary>Another token of the same bytes; −1 if there is none.</summary>
    public int TokenAfter(int token) => _nextTokens[token];

    private static int[] FindEnds(int[] depths)
    {
        var ends = new int[depths.Length];
        var open = new Stack<int>();
        for (var node = 0; node <= depths.Length; node++)
        {
            while (open.TryPeek(out var earlier) && (node == depths.Length || depths[earlier] >= depths[node]))
            {
                ends[open.Pop()] = node;
            }

            open.Push(node);
        }

        return ends;
    }
}
