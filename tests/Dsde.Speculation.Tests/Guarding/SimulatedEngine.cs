using Dsde.Speculation;
using Dsde.Speculation.Guarding;

namespace Dsde.Speculation.Tests.Guarding;

/// <summary>
/// Works through the same sequences under the guard, or at a fixed length, with scripted costs and a clock of its own. Whether the draft is
/// right at a position of a sequence is known beforehand, as it is in greedy decoding: all lengths meet with the same luck.
/// </summary>
/// <param name="shape">Costs of passes by rows (<see cref="GuardCases.Shape"/>).</param>
/// <param name="draftShare">A draft pass by a target pass.</param>
/// <param name="batchSize">Sequences at once.</param>
/// <param name="sequences">Whether the draft is right, by sequence and position.</param>
internal sealed class SimulatedEngine(Func<int, double> shape, double draftShare, int batchSize, IReadOnlyList<bool[]> sequences)
{
    private const int MaxLength = 10;
    private static readonly AcceptanceKind Kind = new(null, IsGreedy: true, BetaIsTheChance: false);

    private readonly Random _random = new(11);
    private readonly WorkloadAcceptance _acceptance = new();
    private readonly List<Running> _running = [];
    private double _milliseconds;
    private int _next;

    /// <summary>Noise of each iteration's time, as a share of it.</summary>
    private const double Noise = 0.1;

    /// <summary>Chance that an iteration takes ten times as long, as on a busy machine.</summary>
    public double OutlierChance { get; init; }

    /// <summary>What iterations with proposals really take, by what was profiled.</summary>
    public double Bias { get; init; } = 1;

    /// <summary>How much slower everything is, by the time that has gone by in ms.</summary>
    public Func<double, double> Slowness { get; init; } = _ => 1;

    /// <summary>Mean length of each iteration.</summary>
    public List<double> MeanLengths { get; } = [];

    /// <summary>Works through all sequences at a fixed length. The result is tokens per millisecond.</summary>
    public double RunFixed(int length) => Run(null, length);

    /// <summary>The same under the guard, whose wishes are the longest length.</summary>
    public double RunGuarded() => Run(new CostGuard { Profile = GuardCases.Profile(shape, draftShare) }, MaxLength);

    private double Run(CostGuard? guard, int wish)
    {
        long tokens = 0;
        while (Refill())
        {
            var lengths = _running.ConvertAll(one => Math.Clamp(one.Right.Length - one.Position - 1, 0, wish)).ToArray();
            guard?.Plan([.. _running.Select((one, i) => one.ForGuard(lengths[i], _acceptance.CurveOf(Kind)))], lengths);
            MeanLengths.Add(lengths.Average());
            var timing = Time(lengths);
            guard?.Observe(timing);
            for (var i = 0; i < lengths.Length; i++)
            {
                tokens += Advance(_running[i], lengths[i], guard?.IsHoldOut == true);
            }
        }

        return tokens / _milliseconds;
    }

    private bool Refill()
    {
        _running.RemoveAll(one => one.Position >= one.Right.Length);
        while (_running.Count < batchSize && _next < sequences.Count)
        {
            _running.Add(new Running(sequences[_next++]));
        }

        return _running.Count > 0;
    }

    private int Advance(Running one, int length, bool isHoldOut)
    {
        var accepted = one.Right.AsSpan(one.Position, length).IndexOf(false) is >= 0 and var wrong ? wrong : length;
        _acceptance.Observe(
            Kind,
            one.Own,
            new VerifiedStep
            {
                Accepted = accepted,
                Kld = new float[length],
                Beta = new float[length],
                DraftEntropy = new float[length],
                Temperature = 0,
            },
            isHoldOut && length > 0
        );
        one.Lag =
            length == 0 ? one.Lag + 1
            : accepted == length ? 2
            : 1;
        one.Position += accepted + 1;
        return accepted + 1;
    }

    private IterationTiming Time(int[] lengths)
    {
        var slowness =
            Slowness(_milliseconds)
            * (lengths.Max() > 0 ? Bias : 1)
            * (1 + (Noise * _random.NextDouble()))
            * (_random.NextDouble() < OutlierChance ? 10 : 1);
        var drafts = new List<PassTiming>();
        for (var step = 0; step < lengths.Max(); step++)
        {
            var rows = _running.Where((_, i) => lengths[i] > step).Sum(one => step == 0 ? one.Lag : 1);
            drafts.Add(new PassTiming(rows, GuardCases.TargetMs * draftShare * shape(rows) * slowness));
        }

        var verifyRows = lengths.Length + lengths.Sum();
        var verify = new PassTiming(verifyRows, GuardCases.TargetMs * shape(verifyRows) * slowness);
        var totalMs = (GuardCases.RestMs * slowness) + verify.Milliseconds + drafts.Sum(pass => pass.Milliseconds);
        _milliseconds += totalMs;
        return new IterationTiming(drafts, verify, totalMs);
    }

    private sealed class Running(bool[] right)
    {
        public bool[] Right { get; } = right;

        public SequenceAcceptance Own { get; } = new();

        public int Position { get; set; }

        public int Lag { get; set; } = 1;

        public GuardedSequence ForGuard(int wish, SurvivalCurve curve) => new(wish, true, Lag, curve, Own.Exponent(curve.MeanAcceptance));
    }
}
