namespace Dsde.Grammars.Tokens;

/// <summary>Readings while a state is being found; equal if they are the same ones in the same order, which the bytes before
/// decide.</summary>
internal sealed class ReadingSet : IEquatable<ReadingSet>
{
    private readonly List<Reading> _readings = [];

    /// <summary>Whether the output may end.</summary>
    public bool IsAccepting { get; set; }

    /// <summary>Whether the bytes so far can't be read at all.</summary>
    public bool IsEmpty => _readings.Count == 0 && !IsAccepting;

    /// <summary>Adds a reading, unless it is there.</summary>
    public void Add(in Reading reading)
    {
        if (!_readings.Contains(reading))
        {
            _readings.Add(reading);
        }
    }

    /// <summary>The readings.</summary>
    public Reading[] ToArray() => [.. _readings];

    /// <inheritdoc/>
    public bool Equals(ReadingSet? other) =>
        other is not null && IsAccepting == other.IsAccepting && _readings.SequenceEqual(other._readings);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as ReadingSet);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(IsAccepting);
        foreach (var reading in _readings)
        {
            hash.Add(reading);
        }

        return hash.ToHashCode();
    }
}
