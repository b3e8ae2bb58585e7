namespace Dsde.Speculation.Guarding;

/// <summary>
/// The chance S(d) that the first d proposals are all accepted, from counts of how often proposal d was reached and accepted. A step of k
/// proposals tells what any shorter one would have come to. Not a power of one acceptance rate: real sequences are mixtures of easy and
/// hard stretches, and those that are still alive at d are the easy ones.
/// </summary>
/// <param name="parent">The curve that this one leans on while it has seen little; null for the constant prior.</param>
/// <param name="decay">Weight of what is known, relative to one further step.</param>
internal sealed class SurvivalCurve(SurvivalCurve? parent, double decay)
{
    private const double PriorAcceptance = 0.85; // hopeful: what is tried is soon known, what is not tried is not
    private const double PriorWeight = 4; // observations that the prior counts for
    private double[] _reached = [],
        _accepted = [];

    /// <summary>The chance that proposal d, from 1, is accepted if those before it are.</summary>
    public double Acceptance(int depth)
    {
        var (reached, accepted) = depth <= _reached.Length ? (_reached[depth - 1], _accepted[depth - 1]) : (0, 0);
        return (accepted + (PriorWeight * Prior(depth))) / (reached + PriorWeight);
    }

    /// <summary>Share of all judged proposals that is accepted, whatever their place.</summary>
    public double MeanAcceptance =>
        (_accepted.Sum() + (PriorWeight * (parent?.MeanAcceptance ?? PriorAcceptance))) / (_reached.Sum() + PriorWeight);

    /// <summary>Writes S(1), S(2), … as far as there is room.</summary>
    public void CopyTo(Span<double> survival)
    {
        var reach = 1.0;
        for (var depth = 1; depth <= survival.Length; depth++)
        {
            survival[depth - 1] = reach *= Acceptance(depth);
        }
    }

    /// <summary>Takes in a verified step.</summary>
    /// <param name="judged">Outcome of each proposal up to and including the first rejection: 1 for accepted and 0 for rejected, or the
    /// chance of it where that is known.</param>
    /// <param name="weight">Steps that it stands for.</param>
    public void Add(ReadOnlySpan<double> judged, double weight = 1)
    {
        parent?.Add(judged, weight);
        if (judged.Length > _reached.Length)
        {
            Array.Resize(ref _reached, judged.Length);
            Array.Resize(ref _accepted, judged.Length);
        }

        var kept = Math.Pow(decay, weight);
        for (var i = 0; i < _reached.Length; i++)
        {
            _reached[i] = (kept * _reached[i]) + (i < judged.Length ? weight : 0);
            _accepted[i] = (kept * _accepted[i]) + (i < judged.Length ? weight * judged[i] : 0);
        }
    }

    /// <summary>What nobody has seen yet is taken to be as good as what comes before it.</summary>
    private double Prior(int depth) =>
        parent is not null ? parent.Acceptance(depth)
        : depth == 1 ? PriorAcceptance
        : depth > _reached.Length + 1 ? Acceptance(_reached.Length + 1)
        : Acceptance(depth - 1);
}
