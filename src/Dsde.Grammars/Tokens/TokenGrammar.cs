using Dsde.Grammars.Automata;
using Dsde.Grammars.Rules;

namespace Dsde.Grammars.Tokens;

/// <summary>
/// A grammar in the tokens of a model. States and their tokens are found when they are first asked for and kept, up to a bound. Safe for
/// concurrent use.
/// </summary>
public sealed class TokenGrammar
{
    /// <summary>Memory for what is kept, in bytes: beyond it all is forgotten, and found again when it is needed.</summary>
    private const long MostBytes = 32 << 20;

    private const int BytesPerState = 2500; // most of it the table of states behind it

    private static readonly GrammarState Dead = new([], isAccepting: false);

    private readonly Lock _lock = new();
    private readonly TokenVocabulary _vocabulary;
    private readonly int[] _endTokens;
    private readonly Frame _outermost = new(null, null);
    private readonly Dictionary<(Frame, RuleNode), Frame> _frames = [];
    private readonly Dictionary<ReadingSet, GrammarState> _states = [];
    private readonly Dictionary<(Terminal, int), TerminalTokens> _terminals = [];
    private readonly uint[] _words;
    private readonly GrammarState[] _walk;
    private long _bytes;

    /// <param name="grammar">The grammar.</param>
    /// <param name="vocabulary">The model's tokens.</param>
    /// <param name="endTokens">Tokens that end an output: they may come where the grammar may end, and nowhere else, whatever their text.
    /// </param>
    public TokenGrammar(Grammar grammar, TokenVocabulary vocabulary, IEnumerable<int> endTokens)
    {
        ArgumentNullException.ThrowIfNull(grammar);
        ArgumentNullException.ThrowIfNull(vocabulary);
        _vocabulary = vocabulary;
        _endTokens = [.. endTokens];
        _words = new uint[vocabulary.WordCount];
        _walk = new GrammarState[vocabulary.Trie.MaxDepth + 1];
        var start = new ReadingSet();
        Enter(grammar.Start, _outermost, start);
        Start = new GrammarState(start.ToArray(), start.IsAccepting);
    }

    /// <summary>Where outputs begin.</summary>
    public GrammarState Start { get; }

    /// <summary>The state behind a token that is none of the end tokens; null if the grammar does not allow it.</summary>
    public GrammarState? Advance(GrammarState state, int tokenId)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (tokenId < 0 || tokenId >= _vocabulary.Size || _vocabulary.BytesOf(tokenId).IsEmpty)
        {
            return null;
        }

        lock (_lock)
        {
            foreach (var value in _vocabulary.BytesOf(tokenId))
            {
                state = StepNeedsLock(state, value);
                if (state == Dead)
                {
                    return null;
                }
            }

            return state;
        }
    }

    /// <summary>The tokens that may follow.</summary>
    public TokenSet Allowed(GrammarState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        lock (_lock)
        {
            return state.Allowed ??= FindAllowedNeedsLock(state);
        }
    }

    private TokenSet FindAllowedNeedsLock(GrammarState state)
    {
        var alike = ToAlike(state);
        if (alike != state)
        {
            return alike.Allowed ??= FindAllowedNeedsLock(alike);
        }

        Array.Clear(_words);
        foreach (var reading in state.Readings)
        {
            AddTokens(reading);
        }

        foreach (var end in _endTokens)
        {
            var bit = 1u << end;
            _words[end >> 5] = state.IsAccepting ? _words[end >> 5] | bit : _words[end >> 5] & ~bit;
        }

        var allowed = TokenSet.Create(_words);
        Keep(allowed.ByteCount);
        return allowed;
    }

    /// <summary>A state of the same tokens: strings whose bounds are out of a token's reach differ in nothing.</summary>
    private GrammarState ToAlike(GrammarState state)
    {
        var set = new ReadingSet { IsAccepting = state.IsAccepting };
        var isSame = true;
        foreach (var reading in state.Readings)
        {
            var alike = reading.Terminal.Alike(reading.State, _vocabulary.Trie.MaxDepth);
            isSame &= alike == reading.State;
            set.Add(reading with { State = alike });
        }

        return isSame ? state : Find(set);
    }

    private void AddTokens(in Reading reading)
    {
        var tokens = TokensOf(reading.Terminal, reading.State);
        tokens.Inside.AddTo(_words);
        GrammarState?[] behind = new GrammarState?[reading.Targets.Length];
        foreach (var (node, exit) in tokens.Exits)
        {
            if (behind[exit] is not { } next)
            {
                var set = new ReadingSet();
                Enter(reading.Targets[exit], reading.Frame, set);
                next = behind[exit] = Find(set);
            }

            if (!next.IsComplete)
            {
                Walk(node, next);
            }
        }
    }

    /// <summary>Adds the tokens below a node of the trie that a state takes whole.</summary>
    private void Walk(int node, GrammarState state)
    {
        var trie = _vocabulary.Trie;
        var end = trie.EndOf(node);
        _walk[trie.DepthOf(node) + 1] = state;
        for (var below = node + 1; below < end; )
        {
            var depth = trie.DepthOf(below);
            var next = StepNeedsLock(_walk[depth], trie.ValueOf(below));
            if (next == Dead)
            {
                below = trie.EndOf(below);
                continue;
            }

            _walk[depth + 1] = next;
            for (var token = trie.TokenAt(below); token >= 0; token = trie.TokenAfter(token))
            {
                _words[token >> 5] |= 1u << token;
            }

            below++;
        }
    }

    private TerminalTokens TokensOf(Terminal terminal, int state)
    {
        if (terminal is BoundedString text && text.FindFree(state, _vocabulary.Trie.MaxDepth) is { } free)
        {
            return _vocabulary.InStrings(free).Any;
        }

        if (!_terminals.TryGetValue((terminal, state), out var tokens))
        {
            tokens = _terminals[(terminal, state)] = Find(terminal, state);
            Keep(tokens.ByteCount);
        }

        return tokens;
    }

    private TerminalTokens Find(Terminal terminal, int state)
    {
        if (terminal is not BoundedString text)
        {
            return TerminalWalk.Run(_vocabulary, terminal, state);
        }

        var (inner, least, most) = text.LeftAt(state);
        return _vocabulary.InStrings(inner).Within(least, most);
    }

    private GrammarState StepNeedsLock(GrammarState state, byte value)
    {
        var known = state.Next ??= new GrammarState?[256];
        return known[value] ??= Step(state, value);
    }

    private GrammarState Step(GrammarState state, byte value)
    {
        var set = new ReadingSet();
        foreach (var reading in state.Readings)
        {
            if (reading.Terminal.Next(reading.State, value) is >= 0 and var next)
            {
                Add(reading with { State = next }, set);
            }
        }

        return set.IsEmpty ? Dead : Find(set);
    }

    private void Add(in Reading reading, ReadingSet set)
    {
        if (reading.Terminal.GoesOn(reading.State))
        {
            set.Add(reading);
        }

        if (reading.Terminal.ExitOf(reading.State) is >= 0 and var exit)
        {
            Enter(reading.Targets[exit], reading.Frame, set);
        }
    }

    /// <summary>Adds all that may come at a place of a rule, but for what needs more depth than an output has.</summary>
    private void Enter(RuleNode node, Frame frame, ReadingSet set)
    {
        if (node.IsEnd)
        {
            if (frame.Parent is null)
            {
                set.IsAccepting = true;
            }
            else
            {
                Enter(frame.Target!, frame.Parent, set);
            }
        }

        foreach (var edge in node.Edges)
        {
            if (frame.Depth + edge.Height > GrammarLimits.MaxDepth)
            {
                continue;
            }

            if (edge is RuleEdge.Call call)
            {
                Enter(call.Start, FrameOf(frame, call.Target), set);
            }
            else if (edge is RuleEdge.Terminals terminals)
            {
                Add(new Reading(terminals.Terminal, terminals.Terminal.Start, terminals.Targets, frame), set);
            }
        }
    }

    private Frame FrameOf(Frame parent, RuleNode target)
    {
        if (!_frames.TryGetValue((parent, target), out var frame))
        {
            frame = _frames[(parent, target)] = new Frame(parent, target);
            Keep(BytesPerState / 16);
        }

        return frame;
    }

    private GrammarState Find(ReadingSet set)
    {
        if (!_states.TryGetValue(set, out var state))
        {
            state = _states[set] = new GrammarState(set.ToArray(), set.IsAccepting);
            Keep(BytesPerState);
        }

        return state;
    }

    /// <summary>
    /// Counts what is kept. Forgetting loses no more than time: states know what they need, and equal ones are then found again.
    /// </summary>
    private void Keep(int bytes)
    {
        _bytes += bytes;
        if (_bytes > MostBytes)
        {
            _frames.Clear();
            _states.Clear();
            _terminals.Clear();
            Start.Next = null; // from it all others can be reached
            _bytes = 0;
        }
    }
}
