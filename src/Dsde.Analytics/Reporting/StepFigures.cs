using Dsde.Analytics.Positions;
using Dsde.Persistence.Analysis;
using Dsde.Persistence.Views;
using Dsde.Speculation;

namespace Dsde.Analytics.Reporting;

/// <summary>Figures of iterations and proposals, gathered output by output so that no series is kept.</summary>
internal sealed class StepFigures
{
    private const int MostIterations = 400; // along the generation; few outputs get further
    private const int CalibrationBins = 20;

    private readonly SortedDictionary<int, (long Iterations, long Accepted)> _lengths = [];
    private readonly (int Outputs, double Length, Mean Cap, Mean Kld, Mean Wvir)[] _course = new (int, double, Mean, Mean, Mean)[
        MostIterations
    ];
    private readonly (double Beta, long Accepted, long Count)[] _calibration = new (double, long, long)[CalibrationBins];
    private readonly (long Count, double Wish, double Allowed)[] _guard = new (long, double, double)[LengthDeciders.Words.Count];

    /// <summary>The steps in which something was proposed, for the signals.</summary>
    public SignalSteps Signals { get; } = new();

    /// <summary>Outputs with series.</summary>
    public int Outputs { get; private set; }

    /// <summary>How long proposals were.</summary>
    public IReadOnlyList<LengthCount> Lengths =>
        [.. _lengths.Select(length => new LengthCount(length.Key, length.Value.Iterations, length.Value.Accepted))];

    /// <summary>Along the generation, as far as at least a tenth of the outputs got.</summary>
    public IReadOnlyList<CoursePoint> Course =>
        [
            .. _course
                .Index()
                .TakeWhile(point => point.Item.Outputs > 0 && point.Item.Outputs * 10 >= Outputs)
                .Select(point => new CoursePoint(
                    point.Index,
                    point.Item.Outputs,
                    point.Item.Length / point.Item.Outputs,
                    point.Item.Cap.Value,
                    point.Item.Kld.Value,
                    point.Item.Wvir.Value
                )),
        ];

    /// <summary>Expected against observed acceptance.</summary>
    public IReadOnlyList<CalibrationBin> Calibration =>
        [
            .. _calibration
                .Where(bin => bin.Count > 0)
                .Select(bin => new CalibrationBin(bin.Beta / bin.Count, (double)bin.Accepted / bin.Count, bin.Count)),
        ];

    /// <summary>What decided lengths.</summary>
    public IReadOnlyList<GuardDecision> Guard =>
        [
            .. _guard
                .Index()
                .Where(one => one.Item.Count > 0)
                .Select(one => new GuardDecision(
                    LengthDeciders.Words[one.Index],
                    one.Item.Count,
                    one.Item.Wish / one.Item.Count,
                    one.Item.Allowed / one.Item.Count
                )),
        ];

    /// <summary>Takes in an output.</summary>
    public void Add(StoredTrace stored)
    {
        ArgumentNullException.ThrowIfNull(stored);
        var trace = stored.Trace;
        Outputs += trace.IterationLength is null ? 0 : 1;
        foreach (var step in IterationStep.Of(trace))
        {
            var (iterations, accepted) = _lengths.GetValueOrDefault(step.Length);
            _lengths[step.Length] = (iterations + 1, accepted + step.Accepted);
            if (step.Index < MostIterations)
            {
                ref var point = ref _course[step.Index];
                (point.Outputs, point.Length) = (point.Outputs + 1, point.Length + step.Length);
                point.Cap.Add(trace.IterationCap?[step.Index]);
                point.Kld.Add(step.Mean(trace.ProposalKld));
                point.Wvir.Add(trace.IterationWvir?[step.Index] is { } wvir && WvirMarks.IsMeasured(wvir) ? wvir : null);
            }

            if (trace is { IsGuarded: true, IterationDecidedBy: { } deciders, IterationWish: { } wishes, IterationAllowed: { } allowed })
            {
                ref var decision = ref _guard[deciders[step.Index]];
                decision = (decision.Count + 1, decision.Wish + wishes[step.Index], decision.Allowed + allowed[step.Index]);
            }

            Calibrate(step, trace.ProposalBeta);
        }

        Signals.Add(stored);
    }

    /// <summary>Proposals up to the first rejection: behind it nobody knows whether they would have been accepted.</summary>
    private void Calibrate(IterationStep step, float?[]? betas)
    {
        for (var i = 0; betas is not null && i < Math.Min(step.Accepted + 1, step.Length) && step.FirstProposal + i < betas.Length; i++)
        {
            if (betas[step.FirstProposal + i] is not { } beta)
            {
                return; // lookup proposed
            }

            ref var bin = ref _calibration[Math.Clamp((int)(beta * CalibrationBins), 0, CalibrationBins - 1)];
            bin = (bin.Beta + beta, bin.Accepted + (i < step.Accepted ? 1 : 0), bin.Count + 1);
        }
    }

    private struct Mean
    {
        private double _sum;
        private int _count;

        public readonly double? Value => _count > 0 ? _sum / _count : null;

        public void Add(double? value)
        {
            if (value is { } known && double.IsFinite(known))
            {
                (_sum, _count) = (_sum + known, _count + 1);
            }
        }
    }
}
