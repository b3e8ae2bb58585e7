namespace Dsde.Speculation.Guarding;

/// <summary>
/// How much longer than profiled iterations take now, by their kind. What changes for the usual kind (the context grows, the machine is
/// busy, the clock is slower) changes for all; what tells them apart is learned where the kind changes, which the hold-out sees to. So a
/// busy minute is not taken for a reason to change the kind.
/// </summary>
internal sealed class TimeRatios
{
    private const double Step = 1 / 16d; // weight of an iteration in what holds for all kinds
    private const double LeastOwnStep = 1 / 32d; // weight in what tells them apart, once there were enough
    private const double Trust = 4; // iterations of a kind that the profile counts for
    private const double MostSurprise = 2; // an iteration that is further off, either way, counts as if it were this far off
    private readonly double[] _ratios = [1, 1, 1];
    private readonly int[] _changes = new int[3];
    private int _count;
    private IterationKind _usual = IterationKind.Drafting;

    /// <summary>Time by profiled time.</summary>
    public double Of(IterationKind kind) => _ratios[(int)kind];

    /// <summary>Takes in an iteration.</summary>
    /// <param name="kind">Its kind.</param>
    /// <param name="isHoldOut">Whether it is a hold-out, so that the next is likely to be of another kind.</param>
    /// <param name="ratio">Its time by what was profiled.</param>
    public void Observe(IterationKind kind, bool isHoldOut, double ratio)
    {
        if (!(ratio > 0) || double.IsInfinity(ratio))
        {
            return; // the clock stood still
        }

        var surprise = Math.Clamp(ratio / Of(kind), 1 / MostSurprise, MostSurprise);
        if (kind == _usual)
        {
            var all = Math.Pow(surprise, Math.Max(Step, 1d / ++_count));
            for (var i = 0; i < _ratios.Length; i++)
            {
                _ratios[i] *= all;
            }
        }
        else
        {
            _ratios[(int)kind] *= Math.Pow(surprise, Math.Max(LeastOwnStep, 1 / (Trust + ++_changes[(int)kind])));
        }

        _usual = isHoldOut ? _usual : kind;
    }
}
