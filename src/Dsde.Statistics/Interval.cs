namespace Dsde.Statistics;

/// <summary>A range that a figure lies in, with 95 % confidence.</summary>
/// <param name="Low">Its lower end.</param>
/// <param name="High">Its upper end.</param>
public readonly record struct Interval(double Low, double High)
{
    /// <summary>Whether a value lies outside.</summary>
    public bool Excludes(double value) => value < Low || value > High;
}
