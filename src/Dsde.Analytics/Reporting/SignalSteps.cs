using Dsde.Analytics.Positions;
using Dsde.Persistence.Analysis;
using Dsde.Persistence.Jobs;
using Dsde.Speculation;

namespace Dsde.Analytics.Reporting;

/// <summary>
/// What was known at each step in which the draft proposed something, and how much of it was accepted; lookup's proposals have no signals.
/// </summary>
internal sealed class SignalSteps
{
    private const int Recent = 4; // steps of which recent acceptance is the mean

    private readonly List<SignalStep> _steps = [];
    private int _output;

    /// <summary>The steps, those of an output together.</summary>
    public IReadOnlyList<SignalStep> Steps => _steps;

    /// <summary>Takes in an output.</summary>
    public void Add(StoredTrace stored)
    {
        ArgumentNullException.ThrowIfNull(stored);
        var trace = stored.Trace;
        var (last, recent) = (default(SignalStep?), new Queue<double>());
        foreach (var step in IterationStep.Of(trace).Where(step => step.Length > 0 && !IsLookedUp(trace, step)))
        {
            var onPath = step with { Length = Math.Min(step.Length, step.Accepted + 1) };
            var measured = trace.IterationWvir?[step.Index] is { } ratio && WvirMarks.IsMeasured(ratio) ? ratio : (float?)null;
            var now = new SignalStep
            {
                Output = _output,
                Workload = stored.Workload,
                Temperature = trace.Temperature,
                AcceptedShare = (double)step.Accepted / step.Length,
                Kld = step.Mean(trace.ProposalKld),
                OnPathKld = onPath.Mean(trace.ProposalKld),
                Beta = step.Mean(trace.ProposalBeta),
                DraftEntropy = step.Mean(trace.ProposalDraftEntropy),
                Wvir = measured,
                ScaledWvir = trace.IterationScaleFactor?[step.Index] * measured,
                Position = step.Index,
                RecentAcceptance = recent.Count > 0 ? recent.Average() : null,
                LastKld = last?.Kld,
                LastOnPathKld = last?.OnPathKld,
                LastBeta = last?.Beta,
                LastDraftEntropy = last?.DraftEntropy,
            };
            _steps.Add(now);
            last = now;
            recent.Enqueue(now.AcceptedShare);
            if (recent.Count > Recent)
            {
                recent.Dequeue();
            }
        }

        _output++;
    }

    private static bool IsLookedUp(JobTrace trace, IterationStep step) =>
        trace.IterationProposedBy?[step.Index] == (short)ProposedBy.Lookup;
}

/// <summary>A step: its outcome, what was measured in it, and what was known before it.</summary>
internal readonly record struct SignalStep
{
    /// <summary>Number of its output.</summary>
    public required int Output { get; init; }

    /// <summary>The label of the job.</summary>
    public required string? Workload { get; init; }

    /// <summary>Sampling temperature.</summary>
    public required float Temperature { get; init; }

    /// <summary>The outcome: accepted / proposed.</summary>
    public required double AcceptedShare { get; init; }

    /// <summary>Mean KLD of its proposals; nats.</summary>
    public required double? Kld { get; init; }

    /// <summary>The same up to the first rejection.</summary>
    public required double? OnPathKld { get; init; }

    /// <summary>Mean expected acceptance.</summary>
    public required double? Beta { get; init; }

    /// <summary>Mean entropy of the draft; nats.</summary>
    public required double? DraftEntropy { get; init; }

    /// <summary>WVIR, known before the step.</summary>
    public required double? Wvir { get; init; }

    /// <summary>SF · WVIR, known before the step.</summary>
    public required double? ScaledWvir { get; init; }

    /// <summary>Number of the iteration, known before the step.</summary>
    public required int Position { get; init; }

    /// <summary>Mean accepted share of the last steps, known before the step.</summary>
    public required double? RecentAcceptance { get; init; }

    /// <summary><see cref="Kld"/> of the step before.</summary>
    public required double? LastKld { get; init; }

    /// <summary><see cref="OnPathKld"/> of the step before.</summary>
    public required double? LastOnPathKld { get; init; }

    /// <summary><see cref="Beta"/> of the step before.</summary>
    public required double? LastBeta { get; init; }

    /// <summary><see cref="DraftEntropy"/> of the step before.</summary>
    public required double? LastDraftEntropy { get; init; }
}
