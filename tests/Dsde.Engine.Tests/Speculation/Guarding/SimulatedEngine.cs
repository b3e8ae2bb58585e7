using Dsde.Engine.Sampling;
using Dsde.Engine.Speculation;
using Dsde.Engine.Speculation.Guarding;

namespace Dsde.Engine.Tests.Speculation.Guarding;

/// <summary>
/// Runs batches under the guard, or at a fixed length, against scripted costs and acceptance: plans, proposes, accepts at random from a
/// fixed seed, and lets a clock of its own tell the time.
/// </summary>
/// <param name="shape">Costs of passes by rows (<see cref="GuardCases.Shape"/>).</param>
/// <param name="draftShare">A draft pass by a target pass.</param>
/// <param name="batchSize">Sequences at once.</param>
/// <param name="chance">The chance that the next proposal is accepted, by sequence and by tokens that all have gained so far.</param>
internal sealed class SimulatedEngine(Func<int, double> shape, double draftShare, int batchSize, Func<int, long, Random, double> chance)
{
    private const int MaxLength = 10;
    private const int SequenceLength = 60;
    private readonly Random _random = new(11);
    private readonly WorkloadAcceptance _acceptance = new();
    private readonly SequenceAcceptance[] _own = [.. Enumerable.Range(0, batchSize).Select(_ => new SequenceAcceptance())];
    private readonly int[] _lags = Enumerable.Repeat(1, batchSize).ToArray();
    private readonly int[] _emitted = new int[batchSize];
    private long _tokens;
    private double _milliseconds;

    /// <summary>Noise of each pass, as a share of its cost.</summary>
    public double Noise { get; init; } = 0.1;

    /// <summary>Chance that a pass takes ten times as long, as on a busy machine.</summary>
    public double OutlierChance { get; init; }

    /// <summary>What iterations with proposals really take, by what was profiled.</summary>
    public double Bias { get; init; } = 1;

    /// <summary>How much slower everything is, by the time that has gone by in ms.</summary>
    public Func<double, double> Slowness { get; init; } = _ => 1;

    /// <summary>Mean length of each iteration so far.</summary>
    public List<double> MeanLengths { get; } = [];

    /// <summary>Tokens per millisecond until so many tokens are there, at a fixed length.</summary>
    public double RunFixed(int length, long tokens) => Run(tokens, _ => Enumerable.Repeat(length, batchSize).ToArray(), _ => { });

    /// <summary>The same under the guard, whose wishes are the longest length.</summary>
    public double RunGuarded(long tokens) => RunGuarded(tokens, new CostGuard { Profile = GuardCases.Profile(shape, draftShare) });

    /// <summary>The same under a guard that has worked before.</summary>
    public double RunGuarded(long tokens, CostGuard guard) =>
        Run(
            tokens,
            request =>
            {
                var curve = _acceptance.CurveOf(request);
                var sequences = new GuardedSequence[batchSize];
                for (var i = 0; i < batchSize; i++)
                {
                    sequences[i] = new GuardedSequence(MaxLength, true, _lags[i], curve, _own[i].Exponent(curve.MeanAcceptance));
                }

                var lengths = new int[batchSize];
                guard.Plan(sequences, lengths);
                IsHoldOut = guard.IsHoldOut;
                return lengths;
            },
            timing => guard.Observe(timing)
        );

    private bool IsHoldOut { get; set; }

    private double Run(long tokens, Func<GenerationRequest, int[]> plan, Action<IterationTiming> observe)
    {
        var request = new GenerationRequest
        {
            PromptTokenIds = [1],
            MaxTokens = 1,
            Sampling = new SamplingParameters { Temperature = 0 },
        };
        var (before, since) = (_tokens, _milliseconds);
        while (_tokens - before < tokens)
        {
            var lengths = plan(request);
            var timing = Time(lengths);
            _milliseconds += timing.TotalMs;
            MeanLengths.Add(lengths.Average());
            for (var i = 0; i < batchSize; i++)
            {
                Judge(i, lengths[i], request);
            }

            observe(timing);
        }

        return (_tokens - before) / (_milliseconds - since);
    }

    private void Judge(int sequence, int length, GenerationRequest request)
    {
        var accepted = 0;
        while (accepted < length && _random.NextDouble() < chance(sequence, _tokens, _random))
        {
            accepted++;
        }

        _acceptance.Observe(
            request,
            _own[sequence],
            new VerifiedStep
            {
                Accepted = accepted,
                Kld = new float[length],
                Beta = new float[length],
                DraftEntropy = new float[length],
                Temperature = 0,
            },
            IsHoldOut
        );
        _lags[sequence] =
            length == 0 ? _lags[sequence] + 1
            : accepted == length ? 2
            : 1;
        _tokens += accepted + 1;
        _emitted[sequence] += accepted + 1;
        if (_emitted[sequence] >= SequenceLength)
        {
            (_emitted[sequence], _own[sequence], _lags[sequence]) = (0, new SequenceAcceptance(), 1);
        }
    }

    private IterationTiming Time(int[] lengths)
    {
        var slowness = Slowness(_milliseconds) * (lengths.Max() > 0 ? Bias : 1);
        var drafts = new List<PassTiming>();
        for (var step = 0; step < lengths.Max(); step++)
        {
            var rows = Enumerable.Range(0, batchSize).Where(i => lengths[i] > step).Sum(i => step == 0 ? _lags[i] : 1);
            drafts.Add(new PassTiming(rows, Pass(rows, draftShare, slowness)));
        }

        var verifyRows = batchSize + lengths.Sum();
        var verify = new PassTiming(verifyRows, Pass(verifyRows, 1, slowness));
        var restMs = GuardCases.RestMs * slowness;
        return new IterationTiming(drafts, verify, restMs + verify.Milliseconds + drafts.Sum(pass => pass.Milliseconds));
    }

    private double Pass(int rows, double share, double slowness) =>
        GuardCases.TargetMs
        * share
        * shape(rows)
        * slowness
        * (1 + (Noise * _random.NextDouble()))
        * (_random.NextDouble() < OutlierChance ? 10 : 1);
}
