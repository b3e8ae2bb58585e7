namespace Dsde.Grammars.Automata;

/// <summary>Makes a table of an automaton that is given by what it does.</summary>
internal static class DfaBuilder
{
    /// <summary>Explores all states that can be reached; null if no end is among them.</summary>
    /// <param name="start">Where it begins.</param>
    /// <param name="next">The state behind a byte; null if the byte is not taken.</param>
    /// <param name="isEnd">Whether a state is an end.</param>
    /// <exception cref="TooLargeException">There are too many states.</exception>
    public static ByteDfa? Build<T>(T start, Func<T, byte, T?> next, Func<T, bool> isEnd)
        where T : struct
    {
        var numbers = new Dictionary<T, int> { [start] = 0 };
        var states = new List<T> { start };
        var edges = new List<IReadOnlyList<(byte, int)>>();
        for (var number = 0; number < states.Count; number++)
        {
            var taken = new List<(byte, int)>();
            for (var value = 0; value < 256; value++)
            {
                if (next(states[number], (byte)value) is not { } reached)
                {
                    continue;
                }

                if (!numbers.TryGetValue(reached, out var target))
                {
                    if (states.Count >= GrammarLimits.MaxStates)
                    {
                        throw new TooLargeException();
                    }

                    target = numbers[reached] = states.Count;
                    states.Add(reached);
                }

                taken.Add(((byte)value, target));
            }

            edges.Add(taken);
        }

        return ByteDfa.Create(edges, states.ConvertAll(state => isEnd(state) ? 0 : -1));
    }

    /// <summary>What two automata both take; null if there is no such string.</summary>
    /// <exception cref="TooLargeException">There are too many states.</exception>
    public static ByteDfa? Intersect(Terminal first, Terminal second) =>
        Build<(int First, int Second)>(
            (first.Start, second.Start),
            (state, value) =>
                first.Next(state.First, value) is >= 0 and var one && second.Next(state.Second, value) is >= 0 and var other
                    ? (one, other)
                    : null,
            state => first.ExitOf(state.First) >= 0 && second.ExitOf(state.Second) >= 0
        );
}
