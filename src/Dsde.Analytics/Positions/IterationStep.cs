using Dsde.Persistence.Jobs;

namespace Dsde.Analytics.Positions;

/// <summary>An iteration of an output, its proposals taken together.</summary>
/// <param name="Index">Its number in the output, from 0.</param>
/// <param name="FirstProposal">Place of its first proposal in the series of proposals.</param>
/// <param name="FirstToken">Number of the first token it gave, from 1; that of the prompt's pass is 1.</param>
/// <param name="Length">Proposed tokens.</param>
/// <param name="Accepted">Accepted tokens.</param>
/// <param name="Forced">Tokens that the output's format forced: they come before what is proposed.</param>
internal readonly record struct IterationStep(int Index, int FirstProposal, int FirstToken, int Length, int Accepted, int Forced)
{
    /// <summary>
    /// Tokens it gave, at most: what was forced, the accepted ones, and one of the target's own. The end of an output may cut some off.
    /// </summary>
    public int Emitted => Forced + Accepted + 1;

    /// <summary>Number of the output's token that the first proposal was made for.</summary>
    public int FirstProposed => FirstToken + Forced;

    /// <summary>The iterations of an output in order; none where they are not stored.</summary>
    public static IEnumerable<IterationStep> Of(JobTrace trace)
    {
        ArgumentNullException.ThrowIfNull(trace);
        if (trace.IterationLength is not { } lengths || trace.IterationAccepted is not { } accepted)
        {
            yield break;
        }

        var (proposal, token) = (0, 2);
        for (var i = 0; i < lengths.Length; i++)
        {
            var step = new IterationStep(i, proposal, token, lengths[i], accepted[i], trace.IterationForced?[i] ?? 0);
            yield return step;
            (proposal, token) = (proposal + step.Length, token + step.Emitted);
        }
    }

    /// <summary>
    /// Mean of a series of proposals over this iteration; null where it is not stored, nothing was proposed, or not by the draft.
    /// </summary>
    public double? Mean(float?[]? proposals)
    {
        if (proposals is null || Length == 0 || FirstProposal + Length > proposals.Length)
        {
            return null;
        }

        double? sum = 0;
        for (var i = 0; i < Length; i++)
        {
            sum += proposals[FirstProposal + i];
        }

        return sum / Length;
    }
}
