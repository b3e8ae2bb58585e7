namespace Dsde.Grammars.Automata;

/// <summary>
/// A JSON string of so many characters (Unicode scalar values). Its states are those of a string of any length, with a count: as long as
/// both bounds are far, they are <see cref="Alike"/> whatever the count, so that what is known of one is known of all.
/// </summary>
internal sealed class BoundedString : Terminal
{
    private static readonly ByteDfa Any = PatternCompiler.Compile(
        Pattern.Join(Pattern.Of("\""u8), new Pattern.Repeat(JsonText.AnyCharacter, 0, null), Pattern.Of("\""u8))
    )!;

    private static readonly int Opened = Any.Next(Any.Start, (byte)'"');
    private static readonly int Closed = Any.Next(Opened, (byte)'"');
    private readonly int _least;
    private readonly int? _most;

    /// <param name="least">Fewest characters.</param>
    /// <param name="most">Most characters, at least as many; null for no limit.</param>
    public BoundedString(int least, int? most)
    {
        _least = least;
        _most = most;
    }

    /// <summary>A string of any length.</summary>
    public static BoundedString Unbounded { get; } = new(0, null);

    /// <inheritdoc/>
    public override int Start => Any.Start;

    /// <inheritdoc/>
    public override int Next(int state, byte value)
    {
        var (count, inner) = (state / Any.StateCount, state % Any.StateCount);
        var next = Any.Next(inner, value);
        if (next < 0 || (inner == Opened && (next == Closed ? count < _least : count == _most)))
        {
            return Dead;
        }

        if (CompletesCharacter(inner, next) && (_most is not null || count < _least))
        {
            count++;
        }

        return (count * Any.StateCount) + next;
    }

    /// <inheritdoc/>
    public override int ExitOf(int state) => Any.ExitOf(state % Any.StateCount);

    /// <inheritdoc/>
    public override bool GoesOn(int state) => ExitOf(state) < 0;

    /// <inheritdoc/>
    public override int Alike(int state, int byteCount)
    {
        var (count, inner) = (state / Any.StateCount, state % Any.StateCount);
        return FindFree(state, byteCount) is not null ? (_least * Any.StateCount) + inner
            : _least - count >= byteCount && !(_most - count < byteCount) ? inner
            : state;
    }

    /// <summary>Whether a byte begins a character. The states before and behind it are of <see cref="Unbounded"/>.</summary>
    public static bool BeginsCharacter(int before, int behind) => before == Opened && behind != Closed;

    /// <summary>Whether a byte completes a character.</summary>
    public static bool CompletesCharacter(int before, int behind) => behind == Opened && before != Any.Start;

    /// <summary>
    /// A state as one of <see cref="Unbounded"/>, with the characters that are still needed (0 or less for none) and the characters that
    /// may still begin (null for any number).
    /// </summary>
    public (int Inner, int Least, int? Most) LeftAt(int state)
    {
        var (count, inner) = (state / Any.StateCount, state % Any.StateCount);
        // A character that has begun is not yet counted.
        var begun = inner == Any.Start || inner == Opened || inner == Closed ? 0 : 1;
        return (inner, _least - count, _most - count - begun);
    }

    /// <summary>
    /// The state of <see cref="Unbounded"/> that a state is alike to, as far as so many bytes can tell; null if a bound is within reach.
    /// </summary>
    public int? FindFree(int state, int byteCount)
    {
        var count = state / Any.StateCount;
        return count >= _least && !(_most - count < byteCount) ? state % Any.StateCount : null;
    }
}
