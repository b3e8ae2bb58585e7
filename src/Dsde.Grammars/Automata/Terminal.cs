namespace Dsde.Grammars.Automata;

/// <summary>
/// A deterministic automaton over bytes. From each of its states an end can be reached, so that what it has taken can always be completed.
/// </summary>
internal abstract class Terminal
{
    /// <summary>What <see cref="Next"/> gives where a byte is not taken.</summary>
    public const int Dead = -1;

    /// <summary>Where it begins.</summary>
    public abstract int Start { get; }

    /// <summary>The state behind a byte; <see cref="Dead"/> if the byte is not taken.</summary>
    public abstract int Next(int state, byte value);

    /// <summary>Which of its ends a state is, from 0; −1 if it is none.</summary>
    public abstract int ExitOf(int state);

    /// <summary>Whether a state takes any byte.</summary>
    public abstract bool GoesOn(int state);

    /// <summary>A state that takes and ends the same as another, as far as so many bytes can tell; often the state itself.</summary>
    public virtual int Alike(int state, int byteCount) => state;
}
