using Dsde.Analytics.Positions;

namespace Dsde.Analytics.Replaying;

/// <summary>
/// An output with an answer for every position: known bits as they are; where acceptance is by chance, a draw of it; and where nothing is
/// known, a draw by how the output's known positions are. The draws are the same for the same seed.
/// </summary>
internal sealed class ResolvedPositions
{
    private readonly bool[] _accepted;
    private readonly PositionSignals _whereRight,
        _whereWrong,
        _behindMistakes;

    /// <param name="trace">The output.</param>
    /// <param name="seed">Of the draws.</param>
    public ResolvedPositions(PositionTrace trace, int seed)
    {
        Trace = trace;
        var random = new Random(seed);
        var (sum, count) = (0d, 0);
        for (var position = 1; position < trace.Count; position++)
        {
            var chance = trace.ChanceAt(position);
            (sum, count) = float.IsNaN(chance) ? (sum, count) : (sum + chance, count + 1);
        }

        var usual = count == 0 ? 0 : sum / count;
        _accepted = new bool[trace.Count + PositionTrace.Tail];
        for (var position = 0; position < _accepted.Length; position++)
        {
            var chance = trace.ChanceAt(position);
            _accepted[position] = random.NextDouble() < (float.IsNaN(chance) ? usual : chance);
        }

        _whereRight = PositionSignals.Mean(trace.Known.Where(known => known.Chance >= 0.5f).Select(known => known.Signals));
        _whereWrong = PositionSignals.Mean(trace.Known.Where(known => known.Chance < 0.5f).Select(known => known.Signals));
        _behindMistakes = PositionSignals.Mean(trace.KnownBehindMistakes);
    }

    /// <summary>The output.</summary>
    public PositionTrace Trace { get; }

    /// <summary>Whether a proposal is accepted where everything before it was.</summary>
    public bool IsAccepted(int position) => position < _accepted.Length && _accepted[position];

    /// <summary>Whether that is known and not drawn.</summary>
    public bool IsKnown(int position) => !float.IsNaN(Trace.ChanceAt(position));

    /// <summary>Accepted proposals from a position on, at most as many as given.</summary>
    public int AcceptedFrom(int position, int length)
    {
        var accepted = 0;
        while (accepted < length && IsAccepted(position + accepted))
        {
            accepted++;
        }

        return accepted;
    }

    /// <summary>
    /// What was measured at a position. <paramref name="mistake"/>: the draft's first mistake before it within the block, null on the true
    /// path.
    /// </summary>
    public PositionSignals SignalsAt(int position, int? mistake) => Trace.SignalsAt(position, mistake);

    /// <summary>The mean over the output's positions that are like one, for what was not measured there.</summary>
    public PositionSignals UsualAt(int position, int? mistake) =>
        mistake is not null ? _behindMistakes
        : IsAccepted(position) ? _whereRight
        : _whereWrong;
}
