using Dsde.Speculation;
using Dsde.Speculation.Guarding;

namespace Dsde.Analytics.Replaying;

/// <summary>A policy, behind the cost guard if it is a guarded one: the very code that the engine asks.</summary>
/// <param name="configuration">Which policy.</param>
/// <param name="maxSpeculationLength">Upper bound of every length.</param>
/// <param name="costs">What iterations cost; null if nobody knows, and then the guard grants every wish.</param>
/// <param name="paper">The numbers of the paper's rule; null for the paper's own.</param>
internal sealed class PolicyChooser(
    PolicyConfiguration configuration,
    int maxSpeculationLength,
    CostProfile? costs,
    DsdeOptions? paper = null
) : ILengthChooser
{
    private const int MostCatchUp = 32; // tokens that a draft reads within an iteration before it proposes

    private readonly ISpeculationPolicy _policy = PolicyFactory.Create(configuration, maxSpeculationLength, paper);
    private readonly SignalsThatCount _signals = PolicyNeeds.Of(configuration);
    private readonly CostGuard _guard = new() { Profile = costs };
    private readonly WorkloadAcceptance _acceptance = new();

    /// <inheritdoc/>
    public ReplayedSequence Begin(ResolvedPositions positions)
    {
        var readsAlong = _policy.Speculates && (_guard.IsDrafting || !_policy.IsGuarded || costs is null);
        return new ReplayedSequence(positions, _policy.CreateState(positions.Trace.Temperature))
        {
            DraftLag = readsAlong ? 1 : positions.Trace.PromptTokens + 1,
        };
    }

    /// <inheritdoc/>
    public ReplayedPasses Run(IReadOnlyList<ReplayedSequence> sequences)
    {
        var plans = Plan(sequences);
        var lengths = Array.ConvertAll(plans, plan => plan.Length);
        if (_policy.EarlyStopping is { } stopping)
        {
            Draft(stopping, sequences, lengths);
        }

        var passes = ReplayedPasses.Of(sequences, lengths);
        for (var i = 0; i < plans.Length; i++)
        {
            var sequence = sequences[i];
            var step = sequence.Advance(plans[i] with { Length = lengths[i] }, _signals);
            _acceptance.Observe(sequence.Positions.Trace.Kind, sequence.Acceptance, step, plans[i].DecidedBy > LengthDecider.Guard);
            if (step.Proposed > 0)
            {
                sequence.State.Observe(step);
            }

            sequence.DraftLag = sequence.Postponed > 0 ? 1 : sequence.DraftLag;
        }

        if (costs is not null)
        {
            _guard.Observe(ToTiming(costs, passes));
        }

        return passes;
    }

    private SpeculationPlan[] Plan(IReadOnlyList<ReplayedSequence> sequences)
    {
        var plans = new SpeculationPlan[sequences.Count];
        _policy.Plan([.. sequences.Select(sequence => sequence.State)], plans);
        var guarded = new GuardedSequence[plans.Length];
        for (var i = 0; i < plans.Length; i++)
        {
            var sequence = sequences[i];
            plans[i] = plans[i] with { Wish = Math.Clamp(plans[i].Length, 0, Math.Min(maxSpeculationLength, sequence.MaxProposals)) };
            var curve = _acceptance.CurveOf(sequence.Positions.Trace.Kind);
            guarded[i] = new GuardedSequence(
                plans[i].Wish,
                _policy.IsGuarded,
                sequence.DraftLag,
                curve,
                sequence.Acceptance.Exponent(curve.MeanAcceptance)
            );
        }

        var lengths = new int[plans.Length];
        _guard.Plan(guarded, lengths);
        for (var i = 0; i < plans.Length; i++)
        {
            plans[i] = Settle(sequences[i], plans[i], lengths[i]);
        }

        return plans;
    }

    private SpeculationPlan Settle(ReplayedSequence sequence, SpeculationPlan plan, int allowed)
    {
        var wanted = Math.Min(Math.Max(allowed, sequence.Postponed), Math.Min(maxSpeculationLength, sequence.MaxProposals));
        sequence.Postponed = sequence.DraftLag > MostCatchUp ? wanted : 0;
        var length = wanted - sequence.Postponed;
        return plan with
        {
            Length = length,
            Allowed = allowed,
            DecidedBy =
                length != allowed ? LengthDecider.CatchUp
                : allowed == plan.Wish ? LengthDecider.Policy
                : _guard.IsHoldOut ? LengthDecider.HoldOut
                : LengthDecider.Guard,
        };
    }

    /// <summary>Asks after each draft step whose drafting goes on; the lengths planned become those that come of it.</summary>
    private static void Draft(IEarlyStopping stopping, IReadOnlyList<ReplayedSequence> sequences, int[] lengths)
    {
        for (var step = 0; ; step++)
        {
            var asked = Enumerable.Range(0, lengths.Length).Where(i => lengths[i] > step + 1).ToArray();
            if (asked.Length == 0)
            {
                return;
            }

            var goesOn = Enumerable.Repeat(true, asked.Length).ToArray();
            var drafted = new DraftedStep
            {
                Proposed = step + 1,
                States = Array.ConvertAll(asked, i => sequences[i].State),
                Entropy = Array.ConvertAll(asked, i => sequences[i].EntropyAt(step)),
            };
            stopping.Decide(drafted, goesOn);
            for (var i = 0; i < asked.Length; i++)
            {
                lengths[asked[i]] = goesOn[i] ? lengths[asked[i]] : step + 1;
            }
        }
    }

    private static IterationTiming ToTiming(CostProfile costs, ReplayedPasses passes)
    {
        var drafts = passes.DraftRows.Select(rows => new PassTiming(rows, costs.Draft.At(rows))).ToList();
        var total = costs.Price(passes.Rows, drafts.Sum(pass => pass.Milliseconds), passes.Kind);
        return new IterationTiming(drafts, new PassTiming(passes.Rows, costs.Target.At(passes.Rows)), total);
    }
}
