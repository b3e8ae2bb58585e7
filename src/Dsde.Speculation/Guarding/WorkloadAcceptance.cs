namespace Dsde.Speculation.Guarding;

/// <summary>
/// How the draft fares, by workload and by whether sampling is greedy: learned from every verified step, whatever the policy. New workloads
/// start from what all have taught.
/// </summary>
internal sealed class WorkloadAcceptance
{
    private const double AllDecay = 0.997; // a memory of some 300 steps of a sequence
    private const double WorkloadDecay = 0.995;
    private const double RareWeight = 8; // steps that a rare one stands for: being few, they must tell in time what has changed
    private const int MostWorkloads = 64; // labels are the clients': further ones share a curve
    private readonly Dictionary<(string?, bool), SurvivalCurve> _curves = [];
    private readonly SurvivalCurve _greedy = new(null, AllDecay);
    private readonly SurvivalCurve _sampled = new(null, AllDecay);

    /// <summary>The curve that requests of a kind follow.</summary>
    public SurvivalCurve CurveOf(AcceptanceKind kind)
    {
        var key = (kind.Workload, kind.IsGreedy);
        if (!_curves.TryGetValue(key, out var curve))
        {
            key = _curves.Count < MostWorkloads ? key : (null, kind.IsGreedy);
            if (!_curves.TryGetValue(key, out curve))
            {
                _curves[key] = curve = new SurvivalCurve(kind.IsGreedy ? _greedy : _sampled, WorkloadDecay);
            }
        }

        return curve;
    }

    /// <summary>Takes in a verified step of a sequence.</summary>
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
}
