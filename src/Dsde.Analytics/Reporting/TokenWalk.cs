using Dsde.Analytics.Positions;
using Dsde.Persistence.Jobs;

namespace Dsde.Analytics.Reporting;

/// <summary>An output token by token: where each came from.</summary>
internal static class TokenWalk
{
    /// <summary>The tokens; none where iterations are not stored.</summary>
    public static IReadOnlyList<OutputToken> Of(JobTrace trace)
    {
        ArgumentNullException.ThrowIfNull(trace);
        var tokens = new List<OutputToken>();
        if (trace.IterationLength is not null)
        {
            tokens.Add(new OutputToken(Iteration: null, TokenOrigin.Prompt, Kld: null, Beta: null));
        }

        foreach (var step in IterationStep.Of(trace))
        {
            tokens.AddRange(Enumerable.Repeat(new OutputToken(step.Index, TokenOrigin.Forced, Kld: null, Beta: null), step.Forced));
            for (var i = 0; i <= step.Accepted; i++)
            {
                var origin =
                    i < step.Accepted ? TokenOrigin.Accepted
                    : i < step.Length ? TokenOrigin.Corrected
                    : TokenOrigin.Bonus;
                tokens.Add(new OutputToken(step.Index, origin, At(trace.ProposalKld, step, i), At(trace.ProposalBeta, step, i)));
            }
        }

        // The last iteration may have given more than was kept.
        return tokens[..Math.Min(tokens.Count, trace.CompletionTokens)];
    }

    private static float? At(float?[]? proposals, IterationStep step, int i) =>
        i < step.Length && step.FirstProposal + i < proposals?.Length ? proposals[step.FirstProposal + i] : null;
}
