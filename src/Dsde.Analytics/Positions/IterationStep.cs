using Dsde.Persistence.Jobs;

namespace Dsde.Analytics.Positions;

/// <summary>An iteration of an output, its proposals taken together.</summary>
/// <param name="Index">Its number in the output, from 0.</param>
/// <param name="FirstProposal">Place of its first proposal in the series of proposals.</param>
/// <param name="Length">Proposed tokens.</param>
/// <param name="Accepted">Accepted tokens.</param>
/// <param name="Emitted">Tokens it gave, at most: accepted and one of the target's own.</param>
internal readonly record struct IterationStep(int Index, int FirstProposal, int Length, int Accepted, int Emitted)
{
    /// <summary>The iterations of an output in order; none where they are not stored.</summary>
    public static IEnumerable<IterationStep> Of(JobTrace trace)
    {
        ArgumentNullException.ThrowIfNull(trace);
        if (trace.IterationLength is not { } lengths || trace.IterationAccepted is not { } accepted)
        {
            yield break;
        }

        for (var (i, first) = (0, 0); i < lengths.Length; first += lengths[i++])
        {
            yield return new IterationStep(i, first, lengths[i], accepted[i], accepted[i] + 1);
        }
    }

    /// <summary>Mean of a series of proposals over this iteration; null where it is not stored or nothing was proposed.</summary>
    public double? Mean(float[]? proposals)
    {
        if (proposals is null || Length == 0 || FirstProposal + Length > proposals.Length)
        {
            return null;
        }

        var sum = 0.0;
        for (var i = 0; i < Length; i++)
        {
            sum += proposals[FirstProposal + i];
        }

        return sum / Length;
    }
}
