namespace Dsde.Speculation;

/// <summary>Values of WVIR that stand for something else than a ratio of variances.</summary>
public static class WvirMarks
{
    /// <summary>
    /// Whether a policy's WVIR was measured: it is neither the 0 of fewer than two KLDs nor what stands for no long-term variance.
    /// </summary>
    /// <param name="wvir">As a policy told it; a value that is no number was not measured either.</param>
    public static bool IsMeasured(double wvir) => double.IsFinite(wvir) && wvir is not (0 or DsdeConstants.WvirWithoutVariance);
}
