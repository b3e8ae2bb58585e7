namespace Dsde.Speculation;

/// <summary>
/// The DSDE policy's formulas (arXiv 2509.01083, sections on calibration, WVIR, prediction and cap), in double precision.
/// </summary>
internal static class KldSignal
{
    /// <summary>
    /// Weighted variance ratio of recent to long-term KLD: above 1, instability is growing.
    /// </summary>
    /// <param name="history">KLDs in nats, oldest first.</param>
    /// <param name="shortWindow">Newest values that count as recent; more than there are means all.</param>
    /// <param name="decay">Weight of a value relative to the next newer one, above 0 and at most 1.</param>
    public static double Wvir(ReadOnlySpan<double> history, int shortWindow, double decay)
    {
        if (history.Length < 2)
        {
            return 0;
        }

        var longVariance = WeightedVariance(history, decay);
        return longVariance < DsdeConstants.NoVariance
            ? DsdeConstants.WvirWithoutVariance
            : WeightedVariance(history[^Math.Min(shortWindow, history.Length)..], decay) / longVariance;
    }

    /// <summary>Variance with exponentially decaying weights, the newest value weighing 1.</summary>
    public static double WeightedVariance(ReadOnlySpan<double> history, double decay)
    {
        double weights = 0,
            sum = 0,
            weight = 1;
        for (var i = history.Length - 1; i >= 0; i--, weight *= decay)
        {
            weights += weight;
            sum += weight * history[i];
        }

        var mean = sum / weights;
        double squares = 0;
        weight = 1;
        for (var i = history.Length - 1; i >= 0; i--, weight *= decay)
        {
            squares += weight * (history[i] - mean) * (history[i] - mean);
        }

        return squares / weights;
    }

    /// <summary>
    /// Scale factor SF of the last step's mean KLD. Rounding can make a measured KLD slightly negative; that counts as 0.
    /// </summary>
    /// <param name="lastMeanKld">Nats.</param>
    /// <param name="steepness">α.</param>
    public static double ScaleFactor(double lastMeanKld, double steepness) => Math.Exp(steepness * Math.Max(0, lastMeanKld)) - 1;

    /// <summary>Predicted length SL̂, between the two bounds. A product that is not a number predicts the lower one.</summary>
    public static double PredictedLength(double scaleFactor, double wvir, int minLength, int maxLength)
    {
        var penalty = scaleFactor * wvir;
        return penalty <= 1 ? ((1 - penalty) * (maxLength - minLength)) + minLength : minLength;
    }

    /// <summary>The whole number of tokens a prediction asks for.</summary>
    public static int Length(double predictedLength, int minLength) => Math.Max(minLength, (int)Math.Ceiling(predictedLength));

    /// <summary>Upper bound SL_max that calibration fixes (paper, eq. 1).</summary>
    public static int CalibratedMaxLength(int maxAccepted, double meanKld, double maxKld, double coefficient, int minLength, int maxLength)
    {
        var reach = 1 + (coefficient * meanKld / (maxKld + DsdeConstants.Epsilon));
        return Math.Clamp((int)Math.Round(maxAccepted * reach), minLength, maxLength);
    }

    /// <summary>Lower bound SL_min as the reference implementation takes it from SL_max.</summary>
    public static int ReferenceMinLength(int calibratedMaxLength, int minLength) =>
        Math.Clamp((int)Math.Ceiling(DsdeConstants.ReferenceMinLengthFraction * calibratedMaxLength), minLength, calibratedMaxLength);
}
