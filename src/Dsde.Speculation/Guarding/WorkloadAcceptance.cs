namespace Dsde.Speculation.Guarding;

/// <summary>
/// How proposals fare, by who makes them, by workload and by whether sampling is greedy: learned from every verified step, whatever the
/// policy. New workloads start from what all have taught.
/// </summary>
/// <remarks>
/// Lookup's proposals are learned by the length of the match that they come from, and also where they were not made: what lookup has found
/// is held against what was emitted. Whether it is the target's draw or an accepted proposal, that is a draw of the target's, so that its
/// being the looked-up token has the chance of acceptance, in every sampling mode.
/// </remarks>
internal sealed class WorkloadAcceptance
{
    private const double AllDecay = 0.997; // a memory of some 300 steps of a sequence
    private const double WorkloadDecay = 0.995;
    private const double RareWeight = 8; // steps that a rare one stands for: being few, they must tell in time what has changed
    private const int MostWorkloads = 64; // labels are the clients': further ones share a curve
    private readonly Dictionary<(bool IsGreedy, int MatchLength), Curves> _all = [];

    /// <summary>The curve that requests of a kind follow.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="matchLength">Tokens of the match that lookup proposes from; 0 for the draft's proposals.</param>
    public SurvivalCurve CurveOf(AcceptanceKind kind, int matchLength = 0)
    {
        if (!_all.TryGetValue((kind.IsGreedy, matchLength), out var curves))
        {
            _all[(kind.IsGreedy, matchLength)] = curves = new Curves();
        }

        return curves.Of(kind.Workload);
    }

    /// <summary>Takes in how what lookup has found compares with what was emitted.</summary>
    /// <param name="kind">The sequence's kind.</param>
    /// <param name="matchLength">Tokens of the match.</param>
    /// <param name="own">What is known of the sequence's matches of that length.</param>
    /// <param name="judged">Up to the first difference: 1 for the same token, 0 for another.</param>
    public void ObserveLookup(AcceptanceKind kind, int matchLength, SequenceAcceptance own, ReadOnlySpan<double> judged)
    {
        own.Add(judged);
        CurveOf(kind, matchLength).Add(judged);
    }

    /// <summary>Takes in a verified step of a sequence, in which the draft proposed or nobody did.</summary>
    /// <param name="kind">The sequence's kind.</param>
    /// <param name="own">What is known of the sequence.</param>
    /// <param name="step">The step; it may be empty.</param>
    /// <param name="isRare">Whether it was made for the sake of this, while there is no speculation otherwise.</param>
    public void Observe(AcceptanceKind kind, SequenceAcceptance own, in VerifiedStep step, bool isRare)
    {
        Span<double> judged = stackalloc double[Math.Min(step.Accepted + 1, step.Proposed)];
        for (var i = 0; i < judged.Length; i++)
        {
            judged[i] =
                kind.BetaIsTheChance ? Math.Clamp(step.Beta[i], 0, 1)
                : i < step.Accepted ? 1
                : 0;
        }

        own.Add(judged);
        if (judged.Length > 0)
        {
            CurveOf(kind).Add(judged, isRare ? RareWeight : 1);
        }
    }

    private sealed class Curves
    {
        private readonly SurvivalCurve _all = new(null, AllDecay);
        private readonly Dictionary<ValueTuple<string?>, SurvivalCurve> _byWorkload = [];

        public SurvivalCurve Of(string? workload)
        {
            var key = new ValueTuple<string?>(workload);
            if (!_byWorkload.TryGetValue(key, out var curve))
            {
                key = _byWorkload.Count < MostWorkloads ? key : default;
                if (!_byWorkload.TryGetValue(key, out curve))
                {
                    _byWorkload[key] = curve = new SurvivalCurve(_all, WorkloadDecay);
                }
            }

            return curve;
        }
    }
}
