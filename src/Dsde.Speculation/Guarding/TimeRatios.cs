namespace Dsde.Speculation.Guarding;

/// <summary>
/// How much longer than profiled iterations take now, those with and those without proposals. What changes for the usual kind (the context
/// grows, the machine is busy, the clock is slower) changes for both; what tells them apart is learned where the kind changes, which the
/// hold-out sees to. So a busy minute is not taken for a reason to change the kind.
/// </summary>
internal sealed class TimeRatios
{
    private const double Step = 1 / 16d; // weight of an iteration in what holds for both kinds
    private const double LeastOwnStep = 1 / 32d; // weight in what tells them apart, once there were enough
    private const double Trust = 4; // iterations of a kind that the profile counts for
    private const double MostSurprise = 2; // an iteration that is further off, either way, counts as if it were this far off
    private readonly double[] _ratios = [1, 1];
    private readonly int[] _changes = new int[2];
    private int _count;
    private int _usual = 1;

    /// <summary>Time by profiled time.</summary>
    public double Of(bool isSpeculating) => _ratios[isSpeculating ? 1 : 0];

    /// <summary>Takes in an iteration.</summary>
    /// <param name="isSpeculating">Its kind.</param>
    /// <param name="isHoldOut">Whether it is a hold-out, so that the next is likely to be of the other kind.</param>
    /// <param name="ratio">Its time by what was profiled.</param>
    public void Observe(bool isSpeculating, bool isHoldOut, double ratio)
    {
        if (!(ratio > 0) || double.IsInfinity(ratio))
        {
            return; // the clock stood still
        }

        var kind = isSpeculating ? 1 : 0;
        var surprise = Math.Clamp(ratio / _ratios[kind], 1 / MostSurprise, MostSurprise);
        if (kind == _usual)
        {
            var both = Math.Pow(surprise, Math.Max(Step, 1d / ++_count));
            _ratios[0] *= both;
            _ratios[1] *= both;
        }
        else
        {
            _ratios[kind] *= Math.Pow(surprise, Math.Max(LeastOwnStep, 1 / (Trust + ++_changes[kind])));
        }

        _usual = isHoldOut ? _usual : kind;
    }
}
