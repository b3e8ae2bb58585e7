namespace Dsde.Grammars.Automata;

/// <summary>Makes automata of patterns: Thompson's construction, then sets of its nodes as states.</summary>
internal sealed class PatternCompiler
{
    private readonly List<List<int>> _free = [];
    private readonly List<List<(byte First, byte Last, int Next)>> _taking = [];
    private readonly Dictionary<int, int> _exits = [];

    private PatternCompiler() { }

    /// <summary>The automaton of a pattern; null if no string matches.</summary>
    /// <exception cref="TooLargeException">It would have too many states.</exception>
    public static ByteDfa? Compile(Pattern pattern) => Compile([pattern]);

    /// <summary>
    /// The automaton of several patterns, each with an end of its own by its index; null if no string matches any. No string may match two.
    /// </summary>
    /// <exception cref="TooLargeException">It would have too many states.</exception>
    public static ByteDfa? Compile(IReadOnlyList<Pattern> patterns)
    {
        var compiler = new PatternCompiler();
        var start = compiler.AddNode();
        for (var exit = 0; exit < patterns.Count; exit++)
        {
            var end = compiler.AddNode();
            compiler._exits[end] = exit;
            compiler.Add(patterns[exit], start, end);
        }

        return compiler.Determine(start);
    }

    private int AddNode()
    {
        if (_free.Count >= GrammarLimits.MaxNfaNodes)
        {
            throw new TooLargeException();
        }

        _free.Add([]);
        _taking.Add([]);
        return _free.Count - 1;
    }

    private void Add(Pattern pattern, int from, int to)
    {
        switch (pattern)
        {
            case Pattern.Range range:
                _taking[from].Add((range.First, range.Last, to));
                break;
            case Pattern.Sequence sequence:
                for (var i = 0; i < sequence.Parts.Count; i++)
                {
                    var next = i == sequence.Parts.Count - 1 ? to : AddNode();
                    Add(sequence.Parts[i], from, next);
                    from = next;
                }

                if (sequence.Parts.Count == 0)
                {
                    _free[from].Add(to);
                }

                break;
            case Pattern.Choice choice:
                foreach (var option in choice.Options)
                {
                    Add(option, from, to);
                }

                break;
            case Pattern.Repeat repeat:
                AddRepeat(repeat, from, to);
                break;
        }
    }

    private void AddRepeat(Pattern.Repeat repeat, int from, int to)
    {
        for (var i = 0; i < repeat.Least; i++)
        {
            var next = AddNode();
            Add(repeat.Item, from, next);
            from = next;
        }

        if (repeat.Most is not { } most)
        {
            // A node of its own, so that what else begins or ends at the others is not repeated.
            var loop = AddNode();
            _free[from].Add(loop);
            _free[loop].Add(to);
            var behind = AddNode();
            Add(repeat.Item, loop, behind);
            _free[behind].Add(loop);
            return;
        }

        for (var i = repeat.Least; i < most; i++)
        {
            _free[from].Add(to);
            var next = AddNode();
            Add(repeat.Item, from, next);
            from = next;
        }

        _free[from].Add(to);
    }

    private ByteDfa? Determine(int start)
    {
        var numbers = new Dictionary<int[], int>(NodeSets.Instance);
        var sets = new List<int[]>();
        var edges = new List<IReadOnlyList<(byte, int)>>();
        var exits = new List<int>();
        var targets = new List<int>?[256];
        NumberOf([start]);
        for (var state = 0; state < sets.Count; state++)
        {
            foreach (var node in sets[state])
            {
                foreach (var (first, last, next) in _taking[node])
                {
                    for (int value = first; value <= last; value++)
                    {
                        (targets[value] ??= []).Add(next);
                    }
                }
            }

            var taken = new List<(byte, int)>();
            for (var value = 0; value < 256; value++)
            {
                if (targets[value] is { Count: > 0 } nodes)
                {
                    taken.Add(((byte)value, NumberOf(nodes)));
                    nodes.Clear();
                }
            }

            edges.Add(taken);
        }

        return ByteDfa.Create(edges, exits);

        int NumberOf(List<int> nodes)
        {
            var set = Close(nodes);
            if (numbers.TryGetValue(set, out var number))
            {
                return number;
            }

            if (sets.Count >= GrammarLimits.MaxStates)
            {
                throw new TooLargeException();
            }

            var ends = set.Where(_exits.ContainsKey).Select(node => _exits[node]).ToList();
            if (ends.Count > 1)
            {
                throw new InvalidOperationException("Two patterns with ends of their own match the same string.");
            }

            sets.Add(set);
            exits.Add(ends.Count == 0 ? -1 : ends[0]);
            return numbers[set] = sets.Count - 1;
        }
    }

    /// <summary>What can be reached without taking a byte; only nodes that take one or end something, which decide all else.</summary>
    private int[] Close(List<int> nodes)
    {
        var reached = new HashSet<int>(nodes);
        var open = new Stack<int>(nodes);
        while (open.TryPop(out var node))
        {
            foreach (var next in _free[node])
            {
                if (reached.Add(next))
                {
                    open.Push(next);
                }
            }
        }

        var set = reached.Where(node => _taking[node].Count > 0 || _exits.ContainsKey(node)).ToArray();
        Array.Sort(set);
        return set;
    }

    private sealed class NodeSets : IEqualityComparer<int[]>
    {
        public static readonly NodeSets Instance = new();

        public bool Equals(int[]? x, int[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(int[] obj)
        {
            var hash = new HashCode();
            foreach (var node in obj)
            {
                hash.Add(node);
            }

            return hash.ToHashCode();
        }
    }
}
