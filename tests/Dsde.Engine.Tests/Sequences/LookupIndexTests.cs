using CsCheck;
using Dsde.Engine.Sequences;

namespace Dsde.Engine.Tests.Sequences;

public class LookupIndexTests
{
    [Fact]
    public void Every_match_is_the_one_that_a_search_from_the_end_finds_first() =>
        // Few different tokens repeat often and by chance; blocks that come again give long matches.
        Gen.Select(Gen.Int[1, 6], Gen.Int[0, 5].Array[1, 24], Gen.Int[0, 999].Array[1, 160])
            .Sample(
                (vocabulary, block, choices) =>
                {
                    var tokens = new List<int>();
                    foreach (var choice in choices)
                    {
                        if (choice < 60)
                        {
                            tokens.AddRange(block);
                        }
                        else
                        {
                            tokens.Add(choice % vocabulary);
                        }
                    }

                    var index = new LookupIndex();
                    for (var length = 1; length <= tokens.Count; length += 1 + (choices[length % choices.Length] % 4))
                    {
                        index.Find(tokens.ToArray().AsSpan(0, length)).ShouldBe(Search(tokens.GetRange(0, length)));
                    }
                },
                iter: 400
            );

    [Theory]
    [InlineData(new[] { 1, 2, 3, 1, 2 }, new[] { 3, 1, 2, 3, 1, 2 })]
    [InlineData(new[] { 7, 7, 7 }, new[] { 7, 7, 7, 7, 7, 7 })]
    [InlineData(new[] { 5, 1, 2, 8, 1, 2, 9, 1, 2 }, new[] { 9, 1, 2, 9, 1, 2 })]
    public void Proposals_are_what_followed_and_repeat_where_the_sequence_ends(int[] tokens, int[] proposals)
    {
        var match = new LookupIndex().Find(tokens).ShouldNotBeNull();
        match.Length.ShouldBe(2);
        match.Propose(tokens, proposals.Length).ShouldBe(proposals);
    }

    [Fact]
    public void A_longer_match_is_preferred_to_a_later_one()
    {
        int[] tokens = [1, 2, 3, 4, 50, 9, 9, 3, 4, 60, 9, 9, 1, 2, 3, 4];
        var match = new LookupIndex().Find(tokens).ShouldNotBeNull();
        match.Length.ShouldBe(4);
        match.Propose(tokens, 1).ShouldBe([50]);
    }

    [Fact]
    public void What_has_not_occurred_before_has_no_match()
    {
        new LookupIndex().Find([1]).ShouldBeNull();
        new LookupIndex().Find([1, 1]).ShouldBeNull("The last tokens themselves are no earlier occurrence.");
        new LookupIndex().Find([1, 2, 3, 2, 1]).ShouldBeNull();
    }

    [Fact]
    public void Proposals_are_judged_by_what_was_emitted_up_to_the_first_difference()
    {
        int[] before = [1, 2, 3, 4, 1, 2];
        var match = new LookupIndex().Find(before).ShouldNotBeNull();
        match.Judge(before, 10).ShouldBeEmpty();
        match.Judge([.. before, 3], 10).ShouldBe([1]);
        match.Judge([.. before, 3, 4, 9, 2], 10).ShouldBe([1, 1, 0]);
        match.Judge([.. before, 3, 4, 1, 2], 2).ShouldBe([1, 1]);
        match.Judge([.. before, 8, 4], 10).ShouldBe([0]);
    }

    private static LookupMatch? Search(List<int> tokens)
    {
        foreach (var length in LookupIndex.MatchLengths)
        {
            for (var next = tokens.Count - 1; next >= length; next--)
            {
                if (tokens[(next - length)..next].SequenceEqual(tokens[^length..]))
                {
                    return new LookupMatch(length, next, tokens.Count - next);
                }
            }
        }

        return null;
    }
}
