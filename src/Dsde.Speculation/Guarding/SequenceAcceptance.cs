namespace Dsde.Speculation.Guarding;

/// <summary>
/// How one sequence's acceptance compares with its workload's: S_i(d) = S(d)^θ, where θ is above 1 if less of its recent proposals is
/// accepted than of the workload's.
/// </summary>
internal sealed class SequenceAcceptance
{
    /// <summary>Numbers that <see cref="Export"/> gives.</summary>
    public const int ExportLength = 2;

    private const double Decay = 0.98; // of a proposal relative to the next: a memory of some 50
    private const double Fading = 0.98; // in an iteration without proposals: a bad stretch is not held against it for ever
    private const double PriorWeight = 24; // proposals that the workload's mean counts for
    private const double MostExponent = 4;
    private const double Margin = 0.01; // means stay this far from 0 and 1
    private double _accepted,
        _judged;

    /// <summary>The exponent θ, 1/4 to 4. <paramref name="workloadMean"/>: mean acceptance of the workload's proposals.</summary>
    public double Exponent(double workloadMean)
    {
        var own = (_accepted + (PriorWeight * workloadMean)) / (_judged + PriorWeight);
        return Math.Clamp(Math.Log(Bound(own)) / Math.Log(Bound(workloadMean)), 1 / MostExponent, MostExponent);
    }

    /// <summary>Takes in the judged proposals of a step (<see cref="SurvivalCurve.Add"/>), or that there were none.</summary>
    public void Add(ReadOnlySpan<double> judged)
    {
        foreach (var outcome in judged)
        {
            (_accepted, _judged) = ((Decay * _accepted) + outcome, (Decay * _judged) + 1);
        }

        if (judged.IsEmpty)
        {
            (_accepted, _judged) = (Fading * _accepted, Fading * _judged);
        }
    }

    /// <summary>Everything it knows, in numbers that <see cref="Restore"/> reads.</summary>
    public double[] Export() => [_accepted, _judged];

    /// <summary>Takes over what <see cref="Export"/> gave.</summary>
    /// <exception cref="FormatException">The numbers are not those of such an object.</exception>
    public void Restore(ReadOnlySpan<double> exported)
    {
        if (exported is not [>= 0, >= 0] || exported[0] > exported[1])
        {
            throw new FormatException("These numbers do not say how a sequence's proposals were accepted.");
        }

        (_accepted, _judged) = (exported[0], exported[1]);
    }

    private static double Bound(double acceptance) => Math.Clamp(acceptance, Margin, 1 - Margin);
}
