namespace Dsde.Speculation.Guarding;

/// <summary>The chances S_i(d) of all sequences of an iteration.</summary>
internal sealed class SurvivalTable
{
    private readonly double[] _chances;

    /// <param name="sequences">The sequences.</param>
    public SurvivalTable(ReadOnlySpan<GuardedSequence> sequences)
    {
        foreach (var sequence in sequences)
        {
            MaxLength = Math.Max(MaxLength, sequence.Wish);
        }

        _chances = new double[sequences.Length * MaxLength];
        SurvivalCurve? last = null;
        var shared = new double[MaxLength];
        for (var i = 0; i < sequences.Length; i++)
        {
            if (sequences[i].Curve != last)
            {
                last = sequences[i].Curve;
                last.CopyTo(shared);
            }

            for (var step = 0; step < sequences[i].Wish; step++)
            {
                _chances[(i * MaxLength) + step] =
                    sequences[i].Exponent == 1 ? shared[step] : Math.Pow(shared[step], sequences[i].Exponent);
            }
        }
    }

    /// <summary>The longest wish.</summary>
    public int MaxLength { get; }

    /// <summary>The chance that the proposal of a draft step, from 0, is reached and accepted.</summary>
    public double this[int sequence, int step] => _chances[(sequence * MaxLength) + step];

    /// <summary>All proposals that guarded sequences wish for, likeliest first, each behind those before it.</summary>
    public (int Sequence, int Step)[] OrderGuarded(ReadOnlySpan<GuardedSequence> sequences)
    {
        var proposals = new List<(int Sequence, int Step)>(_chances.Length);
        for (var i = 0; i < sequences.Length; i++)
        {
            for (var step = 0; sequences[i].IsGuarded && step < sequences[i].Wish; step++)
            {
                proposals.Add((i, step));
            }
        }

        proposals.Sort(
            (a, b) => (-this[a.Sequence, a.Step], a.Step, a.Sequence).CompareTo((-this[b.Sequence, b.Step], b.Step, b.Sequence))
        );
        return [.. proposals];
    }
}
