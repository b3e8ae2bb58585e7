namespace Dsde.Analytics.Positions;

/// <summary>Iterations as a trace has them, to be laid out over positions.</summary>
/// <param name="Length">Per iteration: tokens proposed.</param>
/// <param name="Accepted">Per iteration: tokens accepted, also those behind an end.</param>
/// <param name="Kld">Per proposed token.</param>
/// <param name="Beta">Per proposed token.</param>
/// <param name="DraftEntropy">Per proposed token.</param>
internal sealed record TracedSteps(int[] Length, int[] Accepted, float[] Kld, float[] Beta, float[] DraftEntropy)
{
    /// <summary>
    /// Whether the steps are a survey's: a step begins at the mistake of the one before, or at the output's last token, and a token further
    /// on only where there is nothing to accept.
    /// </summary>
    public bool IsSurvey { get; init; }

    /// <summary>Notes at their positions what the iterations have shown.</summary>
    /// <param name="positions">Where to.</param>
    /// <returns>Tokens that the iterations account for, the prompt pass's included, as if nothing had ended the last one early.</returns>
    public int LayOut(PositionTrace positions)
    {
        var (start, proposal) = (1, 0);
        for (var step = 0; step < Length.Length; step++)
        {
            for (var place = 0; place < Length[step]; place++)
            {
                if (place <= Accepted[step])
                {
                    var signals = SignalsOf(proposal + place);
                    positions.SetSignals(start + place, signals);
                    positions.SetChance(
                        start + place,
                        positions.IsByChance ? signals.Beta
                            : place < Accepted[step] ? 1
                            : 0
                    );
                }
            }

            var behind = Math.Max(0, Length[step] - Accepted[step] - 1);
            if (behind > 0)
            {
                var first = proposal + Accepted[step] + 1;
                positions.SetBehind(start + Accepted[step], [.. Enumerable.Range(first, behind).Select(SignalsOf)]);
            }

            proposal += Length[step];
            start =
                !IsSurvey ? start + Accepted[step] + 1
                : start < positions.Count - 1 ? Math.Min(start + Math.Max(Accepted[step], 1), positions.Count - 1)
                : start + 1;
        }

        return start;
    }

    private PositionSignals SignalsOf(int proposal) => new(Kld[proposal], Beta[proposal], DraftEntropy[proposal]);
}
