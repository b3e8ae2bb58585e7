using Dsde.Speculation.Guarding;

namespace Dsde.Analytics.Positions;

/// <summary>
/// An output by its positions instead of by the iterations that found it: what does not depend on the policy. In greedy and coupled
/// sampling that is, for every position, whether the draft says the target's token there, and what both models' distributions are like,
/// given the true prefix; and behind each of the draft's mistakes, what they are like as the draft goes on from its mistake.
/// </summary>
internal sealed class PositionTrace
{
    /// <summary>Positions kept behind the end: proposals made before anybody knew of it.</summary>
    public const int Tail = 64;

    private readonly float[] _chances;
    private readonly PositionSignals[] _onPath;
    private readonly Dictionary<int, PositionSignals[]> _behindMistakes = [];

    /// <param name="count">Tokens of the output, at least 1. The prompt's pass gives the first, so that no iteration asks for it.</param>
    public PositionTrace(int count)
    {
        Count = count;
        Limit = count;
        _chances = new float[count + Tail];
        Array.Fill(_chances, float.NaN);
        _onPath = new PositionSignals[count + Tail];
        Array.Fill(_onPath, PositionSignals.Unknown);
    }

    /// <summary>What people know it by: its job, and which of its outputs.</summary>
    public required string Name { get; init; }

    /// <summary>The kind of request: whose acceptance the cost guard takes to be alike.</summary>
    public AcceptanceKind Kind { get; init; } = new(null, IsGreedy: true, BetaIsTheChance: false);

    /// <summary>Whether proposals are accepted by chance, so that what is known of a position is a probability.</summary>
    public bool IsByChance { get; init; }

    /// <summary>Sampling temperature; 0 is greedy.</summary>
    public float Temperature { get; init; }

    /// <summary>Tokens of the prompt.</summary>
    public int PromptTokens { get; init; }

    /// <summary>Tokens of the output.</summary>
    public int Count { get; }

    /// <summary>Tokens at which it would have been ended by its length, at least <see cref="Count"/>.</summary>
    public int Limit { get; init; }

    /// <summary>Positions, from the second token on, of which it is known how the draft does there.</summary>
    public int KnownCount
    {
        get
        {
            var known = 0;
            for (var position = 1; position < Count; position++)
            {
                known += float.IsNaN(_chances[position]) ? 0 : 1;
            }

            return known;
        }
    }

    /// <summary>
    /// The chance that a proposal is accepted where everything before it was: 0 or 1, or β where acceptance is by chance; NaN if it is not
    /// known.
    /// </summary>
    public float ChanceAt(int position) => position < _chances.Length ? _chances[position] : float.NaN;

    /// <summary>Notes such a chance; what is known already stays.</summary>
    public void SetChance(int position, float chance)
    {
        if (position < _chances.Length && float.IsNaN(_chances[position]))
        {
            _chances[position] = chance;
        }
    }

    /// <summary>What was measured at a position.</summary>
    /// <param name="position">The position.</param>
    /// <param name="mistake">The draft's first mistake before it within the block; null on the true path.</param>
    public PositionSignals SignalsAt(int position, int? mistake)
    {
        if (mistake is not { } origin)
        {
            return position < _onPath.Length ? _onPath[position] : PositionSignals.Unknown;
        }

        return _behindMistakes.TryGetValue(origin, out var behind) && position - origin - 1 < behind.Length
            ? behind[position - origin - 1]
            : PositionSignals.Unknown;
    }

    /// <summary>Notes what was measured on the true path.</summary>
    public void SetSignals(int position, PositionSignals signals)
    {
        if (position < _onPath.Length)
        {
            _onPath[position] = signals;
        }
    }

    /// <summary>Notes what was measured behind a mistake, from the position after it on; the longest counts.</summary>
    public void SetBehind(int mistake, PositionSignals[] signals)
    {
        if (signals.Length > 0 && (!_behindMistakes.TryGetValue(mistake, out var known) || known.Length < signals.Length))
        {
            _behindMistakes[mistake] = signals;
        }
    }

    /// <summary>All that was measured on the true path, with the chances there.</summary>
    public IEnumerable<(float Chance, PositionSignals Signals)> Known => _chances.Zip(_onPath).Where(pair => !float.IsNaN(pair.First));

    /// <summary>All that was measured behind mistakes.</summary>
    public IEnumerable<PositionSignals> KnownBehindMistakes => _behindMistakes.Values.SelectMany(behind => behind);
}
