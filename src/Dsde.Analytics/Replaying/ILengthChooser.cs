using Dsde.Speculation.Guarding;

namespace Dsde.Analytics.Replaying;

/// <summary>Chooses the lengths of a replayed iteration.</summary>
internal interface ILengthChooser
{
    /// <summary>A sequence for an output that is admitted.</summary>
    ReplayedSequence Begin(ResolvedPositions positions);

    /// <summary>Runs an iteration of all sequences: plans, drafts, verifies, learns.</summary>
    /// <returns>Rows of the target's pass and of each draft pass.</returns>
    ReplayedPasses Run(IReadOnlyList<ReplayedSequence> sequences);
}

/// <summary>The passes of a replayed iteration.</summary>
/// <param name="Rows">Rows of the target's pass.</param>
/// <param name="DraftRows">Rows of each draft pass.</param>
internal readonly record struct ReplayedPasses(int Rows, IReadOnlyList<int> DraftRows)
{
    /// <summary>What kind of iteration they are.</summary>
    public IterationKind Kind => DraftRows.Count > 0 ? IterationKind.Drafting : IterationKind.Plain;

    /// <summary>Of sequences that propose some numbers of tokens.</summary>
    public static ReplayedPasses Of(IReadOnlyList<ReplayedSequence> sequences, ReadOnlySpan<int> lengths)
    {
        var (rows, drafts) = (sequences.Count, new List<int>());
        for (var i = 0; i < lengths.Length; i++)
        {
            rows += lengths[i];
            for (var step = 0; step < lengths[i]; step++)
            {
                if (step == drafts.Count)
                {
                    drafts.Add(0);
                }

                drafts[step] += step == 0 ? sequences[i].DraftLag : 1;
            }
        }

        return new ReplayedPasses(rows, drafts);
    }
}
