namespace Dsde.Engine.Speculation.Goodput;

/// <summary>
/// When to try speculation again while it is off: often enough to notice that it has come to pay, seldom enough that trying costs next to
/// nothing. The interval grows with each probe that changes nothing, is short again after one that surprised, and never falls below what a
/// probe's cost allows.
/// </summary>
internal sealed class ProbeSchedule
{
    private int _interval = GoodputConstants.FirstProbeInterval;
    private int _sinceLast;
    private double _acceptanceBefore = 1;

    /// <summary>Speculation is on: the next pause begins with short intervals.</summary>
    public void Reset() => (_interval, _sinceLast) = (GoodputConstants.FirstProbeInterval, 0);

    /// <summary>One iteration without speculation; true if it should be a probe instead.</summary>
    /// <param name="plainMs">What the iteration costs without.</param>
    /// <param name="extraMs">What a probe would add.</param>
    /// <param name="acceptance">What acceptance seems to be by now; its rise is what counts.</param>
    public bool IsDue(double plainMs, double extraMs, double acceptance)
    {
        _sinceLast++;
        if (acceptance > _acceptanceBefore + GoodputConstants.SurprisingGain)
        {
            _interval = GoodputConstants.FirstProbeInterval;
        }
        var affordable = extraMs / (GoodputConstants.ProbeTimeShare * plainMs);
        if (_sinceLast < Math.Max(_interval, affordable))
        {
            return false;
        }

        _sinceLast = 0;
        _acceptanceBefore = acceptance;
        _interval = Math.Min(2 * _interval, GoodputConstants.MaxProbeInterval);
        return true;
    }
}
