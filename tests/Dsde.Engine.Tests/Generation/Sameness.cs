namespace Dsde.Engine.Tests.Generation;

/// <summary>What it means that two outputs are the same, in greedy or coupled mode.</summary>
internal static class Sameness
{
    /// <summary>
    /// Products of other shapes differ in their last bits, so that a tie nearer than this can fall the other way.
    /// </summary>
    private const float NearTie = 1e-4f;

    /// <summary>Token for token, but for a first difference at a near-tie of the (perturbed) scores.</summary>
    /// <returns>Whether there was none.</returns>
    public static bool ShouldBeSame(GenerationResult actual, GenerationResult expected)
    {
        var shorter = Math.Min(actual.TokenIds.Count, expected.TokenIds.Count);
        var difference = Enumerable.Range(0, shorter).FirstOrDefault(i => actual.TokenIds[i] != expected.TokenIds[i], -1);
        if (difference >= 0)
        {
            expected.Trace.Tokens.Margin[difference].ShouldBeLessThan(NearTie, $"Token {difference} differs, and was no near-tie.");
            return false;
        }

        actual.TokenIds.ShouldBe(expected.TokenIds);
        actual.Text.ShouldBe(expected.Text);
        actual.FinishReason.ShouldBe(expected.FinishReason);
        for (var i = 0; i < shorter; i++)
        {
            actual.TokenLogProbabilities[i].ShouldBe(expected.TokenLogProbabilities[i], 1e-3f);
        }

        return true;
    }
}
