namespace Dsde.Speculation;

/// <summary>The KLDs of a sequence's most recent proposals: a ring.</summary>
/// <param name="capacity">Values remembered, N_long.</param>
internal sealed class KldHistory(int capacity)
{
    private readonly double[] _ring = new double[capacity];
    private int _next;

    /// <summary>Values that fit.</summary>
    public int Capacity => capacity;

    /// <summary>Values held.</summary>
    public int Count { get; private set; }

    /// <summary>Takes in a value, in place of the oldest when full.</summary>
    public void Add(double kld)
    {
        _ring[_next] = kld;
        _next = (_next + 1) % _ring.Length;
        Count = Math.Min(Count + 1, _ring.Length);
    }

    /// <summary>Writes the values, oldest first, and returns the part written.</summary>
    public ReadOnlySpan<double> CopyTo(Span<double> destination)
    {
        var oldest = (_next - Count + _ring.Length) % _ring.Length;
        for (var i = 0; i < Count; i++)
        {
            destination[i] = _ring[(oldest + i) % _ring.Length];
        }

        return destination[..Count];
    }
}
