using Dsde.Grammars.Automata;

namespace Dsde.Grammars.Schemas;

/// <summary>Names of properties that a schema does not list.</summary>
internal static class KeyAutomaton
{
    /// <summary>Any JSON string but some.</summary>
    public static Terminal Except(IReadOnlyList<string> names)
    {
        if (names.Count == 0)
        {
            return BoundedString.Unbounded;
        }

        var any = BoundedString.Unbounded;
        var children = new List<Dictionary<byte, int>> { new() };
        foreach (var name in names)
        {
            var node = 0;
            foreach (var value in JsonText.Quote(name))
            {
                if (!children[node].TryGetValue(value, out var child))
                {
                    child = children[node][value] = children.Count;
                    children.Add([]);
                }

                node = child;
            }
        }

        const int elsewhere = -1;
        // Quoted, no name begins with another: a node without children is a name's end.
        return DfaBuilder.Build<(int State, int Node)>(
                (any.Start, 0),
                (place, value) =>
                {
                    var node = place.Node == elsewhere ? elsewhere : children[place.Node].GetValueOrDefault(value, elsewhere);
                    return any.Next(place.State, value) is >= 0 and var next && (node == elsewhere || children[node].Count > 0)
                        ? (next, node)
                        : null;
                },
                place => any.ExitOf(place.State) >= 0
            ) ?? throw new InvalidOperationException("There is always another name.");
    }
}
