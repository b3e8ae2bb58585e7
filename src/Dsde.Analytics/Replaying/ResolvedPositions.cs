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

        _whereRight = Mean(trace.Known.Where(known => known.Chance >= 0.5f).Select(known => known.Signals));
        _whereWrong = Mean(trace.Known.Where(known => known.Chance < 0.5f).Select(known => known.Signals));
        _behindMistakes = Mean(trace.KnownBehindMistakes);
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
    /// What was measured at a position, or, where nothing was, the mean over the output's like positions. <paramref name="mistake"/>: the
    /// draft's first mistake before it within the block, null on the true path.
    /// </summary>
    public (PositionSignals Signals, bool IsKnown) SignalsAt(int position, int? mistake)
    {
        var signals = Trace.SignalsAt(position, mistake);
        return signals.IsKnown ? (signals, true)
            : mistake is not null ? (_behindMistakes, false)
            : (IsAccepted(position) ? _whereRight : _whereWrong, false);
    }

    private static PositionSignals Mean(IEnumerable<PositionSignals> signals)
    {
        var (kld, beta, entropy, count) = (0d, 0d, 0d, 0);
        foreach (var one in signals)
        {
            (kld, beta, entropy, count) = (kld + one.Kld, beta + one.Beta, entropy + one.DraftEntropy, count + 1);
        }

        return count == 0 ? default : new((float)(kld / count), (float)(beta / count), (float)(entropy / count));
    }
}
