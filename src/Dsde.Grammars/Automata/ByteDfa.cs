namespace Dsde.Grammars.Automata;

/// <summary>An automaton as a table. Bytes that behave alike in all states share a column.</summary>
internal sealed class ByteDfa : Terminal
{
    private readonly byte[] _columnOf;
    private readonly int _columnCount;
    private readonly short[] _next;
    private readonly short[] _exits;
    private readonly bool[] _goesOn;

    private ByteDfa(byte[] columnOf, int columnCount, short[] next, short[] exits, bool[] goesOn)
    {
        _columnOf = columnOf;
        _columnCount = columnCount;
        _next = next;
        _exits = exits;
        _goesOn = goesOn;
    }

    /// <inheritdoc/>
    public override int Start => 0;

    /// <summary>States there are.</summary>
    public int StateCount => _exits.Length;

    /// <inheritdoc/>
    public override int Next(int state, byte value) => _next[(state * _columnCount) + _columnOf[value]];

    /// <inheritdoc/>
    public override int ExitOf(int state) => _exits[state];

    /// <inheritdoc/>
    public override bool GoesOn(int state) => _goesOn[state];

    /// <summary>Makes a table without the states from which no end can be reached.</summary>
    /// <param name="edges">Of each state, the first being the start, the bytes it takes and where they lead.</param>
    /// <param name="exits">Which end each state is; −1 for none.</param>
    /// <returns>The table; null if no end can be reached from the start.</returns>
    public static ByteDfa? Create(IReadOnlyList<IReadOnlyList<(byte Value, int Next)>> edges, IReadOnlyList<int> exits)
    {
        var isAlive = FindAlive(edges, exits);
        if (!isAlive[0])
        {
            return null;
        }

        var numbers = new int[edges.Count];
        var count = 0;
        for (var state = 0; state < edges.Count; state++)
        {
            numbers[state] = isAlive[state] ? count++ : Dead;
        }

        var full = new short[count * 256];
        Array.Fill(full, (short)Dead);
        var (ends, goesOn) = (new short[count], new bool[count]);
        for (var state = 0; state < edges.Count; state++)
        {
            if (!isAlive[state])
            {
                continue;
            }

            var number = numbers[state];
            ends[number] = (short)exits[state];
            foreach (var (value, next) in edges[state])
            {
                full[(number * 256) + value] = (short)numbers[next];
                goesOn[number] |= isAlive[next];
            }
        }

        return Compress(full, ends, goesOn);
    }

    private static ByteDfa Compress(short[] full, short[] exits, bool[] goesOn)
    {
        var columnOf = new byte[256];
        var columns = new List<int>();
        var known = new Dictionary<int, List<int>>();
        for (var value = 0; value < 256; value++)
        {
            var hash = new HashCode();
            for (var cell = value; cell < full.Length; cell += 256)
            {
                hash.Add(full[cell]);
            }

            var alike = known.TryGetValue(hash.ToHashCode(), out var candidates) ? candidates : known[hash.ToHashCode()] = [];
            var column = alike.FindIndex(other => IsSame(full, columns[other], value));
            if (column < 0)
            {
                alike.Add(columns.Count);
                columnOf[value] = (byte)columns.Count;
                columns.Add(value);
            }
            else
            {
                columnOf[value] = (byte)alike[column];
            }
        }

        var next = new short[exits.Length * columns.Count];
        for (var state = 0; state < exits.Length; state++)
        {
            for (var column = 0; column < columns.Count; column++)
            {
                next[(state * columns.Count) + column] = full[(state * 256) + columns[column]];
            }
        }

        return new ByteDfa(columnOf, columns.Count, next, exits, goesOn);
    }

    private static bool IsSame(short[] full, int first, int second)
    {
        for (var row = 0; row < full.Length; row += 256)
        {
            if (full[row + first] != full[row + second])
            {
                return false;
            }
        }

        return true;
    }

    private static bool[] FindAlive(IReadOnlyList<IReadOnlyList<(byte Value, int Next)>> edges, IReadOnlyList<int> exits)
    {
        var before = new List<int>?[edges.Count];
        for (var state = 0; state < edges.Count; state++)
        {
            foreach (var (_, next) in edges[state])
            {
                (before[next] ??= []).Add(state);
            }
        }

        var isAlive = new bool[edges.Count];
        var queue = new Queue<int>(Enumerable.Range(0, edges.Count).Where(state => exits[state] >= 0));
        foreach (var state in queue)
        {
            isAlive[state] = true;
        }

        while (queue.TryDequeue(out var state))
        {
            foreach (var earlier in before[state] ?? [])
            {
                if (!isAlive[earlier])
                {
                    isAlive[earlier] = true;
                    queue.Enqueue(earlier);
                }
            }
        }

        return isAlive;
    }
}
