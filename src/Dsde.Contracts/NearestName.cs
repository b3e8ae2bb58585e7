namespace Dsde.Contracts;

/// <summary>Finds what somebody meant who misspelt a name.</summary>
public static class NearestName
{
    /// <summary>
    /// The name with the fewest letters to change, insert, leave out or exchange with their neighbour, whatever their case and without
    /// regard to <c>_</c>, <c>-</c> and the like, so that <c>max_tokens</c> is next to <c>maxTokens</c>.
    /// </summary>
    /// <param name="given">What was written.</param>
    /// <param name="known">What there is.</param>
    /// <returns>Null if nothing is so near that it was probably meant: more than a third of the letters would have to change.</returns>
    public static string? Find(string given, IEnumerable<string> known)
    {
        ArgumentNullException.ThrowIfNull(given);
        ArgumentNullException.ThrowIfNull(known);
        var (nearest, fewest) = ((string?)null, int.MaxValue);
        var wanted = Simplify(given);
        foreach (var name in known)
        {
            var candidate = Simplify(name);
            var allowed = Math.Max(1, Math.Max(wanted.Length, candidate.Length) / 3);
            if (
                Math.Abs(wanted.Length - candidate.Length) <= allowed
                && Distance(wanted, candidate) is var edits
                && edits <= allowed
                && edits < fewest
            )
            {
                (nearest, fewest) = (name, edits);
            }
        }

        return nearest;
    }

    private static string Simplify(string name) => string.Concat(name.Where(char.IsLetterOrDigit)).ToLowerInvariant();

    /// <summary>Optimal string alignment: Levenshtein's distance with exchanged neighbours as one edit.</summary>
    private static int Distance(string one, string other)
    {
        var distances = new int[one.Length + 1, other.Length + 1];
        for (var i = 0; i <= one.Length; i++)
        {
            distances[i, 0] = i;
        }

        for (var j = 0; j <= other.Length; j++)
        {
            distances[0, j] = j;
        }

        for (var i = 1; i <= one.Length; i++)
        {
            for (var j = 1; j <= other.Length; j++)
            {
                var replaced = distances[i - 1, j - 1] + (one[i - 1] == other[j - 1] ? 0 : 1);
                distances[i, j] = Math.Min(replaced, Math.Min(distances[i - 1, j], distances[i, j - 1]) + 1);
                if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1])
                {
                    distances[i, j] = Math.Min(distances[i, j], distances[i - 2, j - 2] + 1);
                }
            }
        }

        return distances[one.Length, other.Length];
    }
}
