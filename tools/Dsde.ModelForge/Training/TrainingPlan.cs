namespace Dsde.ModelForge.Training;

/// <summary>How long and how fast a model is trained.</summary>
/// <param name="Duration">Wall-clock time.</param>
/// <param name="PeakLearningRate">Reached after the warm-up.</param>
internal sealed record TrainingPlan(TimeSpan Duration, double PeakLearningRate)
{
    private const double WarmUpShare = 0.02;
    private const double LongShare = 0.12;
    private const double FinalRate = 0.03;
    private const int TokensPerStep = 2048;

    /// <summary>Windows and their length at a share of the time: long windows at the end, so that far positions are seen.</summary>
    public static (int Count, int Length) WindowAt(double share)
    {
        var length = share < 1 - LongShare ? 256 : 1023;
        return (TokensPerStep / length, length);
    }

    /// <summary>Linear warm-up, then half a cosine.</summary>
    public double LearningRateAt(double share)
    {
        if (share < WarmUpShare)
        {
            return PeakLearningRate * Math.Max(share / WarmUpShare, 0.01);
        }

        var progress = (share - WarmUpShare) / (1 - WarmUpShare);
        return PeakLearningRate * (FinalRate + ((1 - FinalRate) * 0.5 * (1 + Math.Cos(Math.PI * progress))));
    }
}
