namespace Dsde.Engine.Sequences;

/// <summary>An earlier occurrence of a sequence's last tokens.</summary>
/// <param name="Length">How many of the last tokens are the same there; at least, see <see cref="LookupIndex.MatchLengths"/>.</param>
/// <param name="Next">Position of the token behind the occurrence: what is proposed first.</param>
/// <param name="Period">Tokens from there to the end of the sequence as it was, at least 1.</param>
internal readonly record struct LookupMatch(int Length, int Next, int Period)
{
    /// <summary>
    /// Where the proposal of a place is copied from. A copy that reaches the end goes on with itself: what has repeated is taken to do so
    /// again.
    /// </summary>
    public int SourceOf(int place) => Next + (place % Period);

    /// <summary>The first proposals. <paramref name="tokens"/>: of the sequence, as it was or longer.</summary>
    public int[] Propose(ReadOnlySpan<int> tokens, int count)
    {
        var proposals = new int[count];
        for (var place = 0; place < count; place++)
        {
            proposals[place] = tokens[SourceOf(place)];
        }

        return proposals;
    }

    /// <summary>
    /// How the proposals compare with what was emitted: 1 for each that is the same token, and 0 for the first that is not, behind which
    /// nothing is judged.
    /// </summary>
    /// <param name="tokens">Of the sequence, after the iteration.</param>
    /// <param name="most">Most proposals to judge.</param>
    public double[] Judge(ReadOnlySpan<int> tokens, int most)
    {
        var (length, judged) = (Next + Period, new List<double>());
        for (var place = 0; place < Math.Min(most, tokens.Length - length); place++)
        {
            var isSame = tokens[SourceOf(place)] == tokens[length + place];
            judged.Add(isSame ? 1 : 0);
            if (!isSame)
            {
                break;
            }
        }

        return [.. judged];
    }
}
