using System.Numerics;

namespace Dsde.Templates.Values;

/// <summary>The numbers from a start, in steps, to before a stop.</summary>
internal sealed record PyRange(BigInteger Start, BigInteger Stop, BigInteger Step)
{
    /// <summary>As many as Jinja's sandbox allows.</summary>
    public const int MaxCount = 100_000;

    public int Count { get; } = Measure(Start, Stop, Step);

    public BigInteger this[int index] => Start + (Step * index);

    public bool Contains(BigInteger number) =>
        Count > 0 && (number - Start) % Step == 0 && (Step > 0 ? number >= Start && number < Stop : number <= Start && number > Stop);

    private static int Measure(BigInteger start, BigInteger stop, BigInteger step)
    {
        if (step.IsZero)
        {
            throw new TemplateException("range() arg 3 must not be zero");
        }

        var span = step > 0 ? stop - start : start - stop;
        var size = BigInteger.Abs(step);
        var count = span <= 0 ? BigInteger.Zero : (span + size - 1) / size;
        return count <= MaxCount
            ? (int)count
            : throw new TemplateException($"Range too big. The sandbox blocks ranges larger than MAX_RANGE ({MaxCount}).");
    }
}
