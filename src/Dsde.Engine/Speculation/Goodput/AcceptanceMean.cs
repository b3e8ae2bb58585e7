namespace Dsde.Engine.Speculation.Goodput;

/// <summary>Exponentially weighted mean of observations between 0 and 1, shrunk towards a prior while there are few.</summary>
internal sealed class AcceptanceMean
{
    private double _sum,
        _weight;

    /// <summary>Takes in an observation.</summary>
    /// <param name="value">The observation, 0 to 1.</param>
    /// <param name="decay">Weight of what was observed before, relative to this observation.</param>
    public void Add(double value, double decay)
    {
        _sum = (decay * _sum) + value;
        _weight = (decay * _weight) + 1;
    }

    /// <summary>Weighted sum and weight of the observations.</summary>
    public (double Sum, double Weight) Totals
    {
        get => (_sum, _weight);
        set => (_sum, _weight) = value;
    }

    /// <summary>The mean, where the prior counts for <paramref name="priorWeight"/> observations; kept clear of 0 and 1.</summary>
    public double Read(double prior, double priorWeight) =>
        Math.Clamp(
            ((prior * priorWeight) + _sum) / (priorWeight + _weight),
            GoodputConstants.AcceptanceMargin,
            1 - GoodputConstants.AcceptanceMargin
        );
}
