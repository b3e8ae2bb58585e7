namespace Dsde.Engine.Tokenization;

/// <summary>Finds the longest of many texts at a position, in time that does not depend on how many there are.</summary>
internal sealed class TextTrie
{
    private readonly Dictionary<(int Node, char Next), int> _edges = [];
    private readonly Dictionary<int, int> _values = [];
    private int _nodes = 1;

    /// <summary>Whether there are no texts.</summary>
    public bool IsEmpty => _values.Count == 0;

    /// <summary>Adds a text; of two equal ones the last counts.</summary>
    public void Add(string text, int value)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        var node = 0;
        foreach (var character in text)
        {
            if (!_edges.TryGetValue((node, character), out var next))
            {
                next = _nodes++;
                _edges.Add((node, character), next);
            }

            node = next;
        }

        _values[node] = value;
    }

    /// <summary>The longest text that stands at a position.</summary>
    public bool TryMatch(ReadOnlySpan<char> text, int start, out int value, out int length)
    {
        (value, length) = (0, 0);
        var node = 0;
        for (var i = start; i < text.Length && _edges.TryGetValue((node, text[i]), out node); i++)
        {
            if (_values.TryGetValue(node, out var found))
            {
                (value, length) = (found, i + 1 - start);
            }
        }

        return length > 0;
    }

    /// <summary>All texts that stand at a position, the shortest first.</summary>
    public IEnumerable<(int Value, int Length)> Matches(string text, int start)
    {
        var node = 0;
        for (var i = start; i < text.Length && _edges.TryGetValue((node, text[i]), out node); i++)
        {
            if (_values.TryGetValue(node, out var found))
            {
                yield return (found, i + 1 - start);
            }
        }
    }
}
