namespace Dsde.ModelForge.Corpus;

/// <summary>Seeded choices.</summary>
internal sealed class Dice(int seed)
{
    private readonly Random _random = new(seed);

    /// <summary>One of some, each as likely.</summary>
    public T Pick<T>(params IReadOnlyList<T> choices) => choices[_random.Next(choices.Count)];

    /// <summary>Several different ones, in random order.</summary>
    public T[] PickSome<T>(int count, IReadOnlyList<T> choices)
    {
        var copy = choices.ToArray();
        _random.Shuffle(copy);
        return copy[..Math.Min(count, copy.Length)];
    }

    /// <summary>A whole number from low to high, both included.</summary>
    public int Number(int low, int high) => _random.Next(low, high + 1);

    /// <summary>True once in so many times.</summary>
    public bool OneIn(int times) => _random.Next(times) == 0;
}
