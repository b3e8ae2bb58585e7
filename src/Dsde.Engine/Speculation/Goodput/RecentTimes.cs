namespace Dsde.Engine.Speculation.Goodput;

/// <summary>The last few times of passes with the same, or nearly the same, number of rows.</summary>
internal sealed class RecentTimes
{
    private const int Capacity = 15;
    private const int FewTimes = 5;
    private readonly double[] _times = new double[Capacity];
    private int _next;
    private double? _typical;

    /// <summary>Times held.</summary>
    public int Count { get; private set; }

    /// <summary>When the last one came, by the curve's count.</summary>
    public long LastSeen { get; private set; }

    /// <summary>Smoothed number of rows.</summary>
    public double MeanRows { get; private set; }

    /// <summary>The median; of very few times the least, because the first ones of a kind are slow.</summary>
    public double Typical => _typical ??= FindTypical();

    /// <summary>Takes in a time, in place of the oldest when full.</summary>
    public void Add(int rows, double milliseconds, long now)
    {
        _times[_next] = milliseconds;
        _next = (_next + 1) % Capacity;
        Count = Math.Min(Count + 1, Capacity);
        MeanRows = Count == 1 ? rows : MeanRows + ((rows - MeanRows) / Count);
        LastSeen = now;
        _typical = null;
    }

    private double FindTypical()
    {
        Span<double> sorted = stackalloc double[Capacity];
        _times.CopyTo(sorted);
        sorted = sorted[..Count];
        sorted.Sort();
        return Count < FewTimes ? sorted[0] : sorted[Count / 2];
    }
}
