namespace Dsde.Engine.Speculation.Goodput;

/// <summary>
/// Chooses the lengths that promise the most tokens per second, from measured costs and observed acceptance. Unlike
/// the others it turns speculation off where it doesn't pay, and probes for its return. Where a draft step's results can be read at once,
/// lengths are upper bounds, and a sequence stops where the draft's entropy makes the next token not worth its cost.
/// </summary>
/// <param name="name">As telemetry names it.</param>
/// <param name="costs">The engine's measured costs.</param>
/// <param name="readsDraftSteps">Whether looking at each draft step's entropy is cheap: on a GPU it is not.</param>
internal sealed class GoodputPolicy(string name, IterationCosts costs, bool readsDraftSteps) : ISpeculationPolicy, IEarlyStopping
{
    private readonly WorkloadAcceptance _workload = new();
    private readonly LengthAllocator _allocator = new(costs);
    private readonly ProbeSchedule _probes = new();
    private readonly CostExploration _exploration = new(costs);
    private IterationPlan _iteration = new([]);
    private double _correction = 1;
    private bool _isOn = true;
    private long? _probedFrom; // observations there were when a probe began that has brought none yet

    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public bool UsesDraft => true;

    /// <inheritdoc/>
    public bool PrefillsDraft => _isOn;

    /// <inheritdoc/>
    public bool PlansLast => true;

    /// <inheritdoc/>
    public IEarlyStopping? EarlyStopping => readsDraftSteps ? this : null;

    /// <inheritdoc/>
    public ISequencePolicyState CreateState(float temperature) => new GoodputSequenceState(_workload, isGreedy: temperature == 0);

    /// <inheritdoc/>
    public void Plan(in PlanningContext context, ReadOnlySpan<ISequencePolicyState> states, Span<SpeculationPlan> plans)
    {
        plans[..states.Length].Clear();
        var acceptance = new double[states.Length];
        for (var i = 0; i < states.Length; i++)
        {
            var state = (GoodputSequenceState)states[i];
            state.BeginDrafting();
            acceptance[i] = state.Acceptance;
            plans[i] = new SpeculationPlan(0);
        }

        var allocation = _allocator.Allocate(acceptance, context, _workload.Mean(isGreedy: false));
        _iteration = new IterationPlan(context.OtherLengths) { Rows = states.Length + OtherRows(context) };
        if (allocation.Rate == 0)
        {
            return; // nobody has room for a proposal
        }

        if (_exploration.NextFirstLength() is { } length)
        {
            Try(length, context, plans);
            return;
        }

        var needed = allocation.PlainRate * (_isOn ? GoodputConstants.GainToContinue : GoodputConstants.GainToStart);
        _isOn = allocation.Rate * _correction >= needed;
        _workload.IsProbed = !_isOn;
        if (_isOn)
        {
            _probes.Reset();
            Speculate(allocation, context, plans);
        }
        else
        {
            _correction += (1 - _correction) * GoodputConstants.RateCorrectionRecovery;
            ProbeIfDue(context, plans);
        }
    }

    /// <inheritdoc/>
    public void Decide(in DraftedStep step, Span<bool> goesOn)
    {
        if (_iteration.PromisedRate == 0)
        {
            return; // a probe or a trial is there to see
        }

        var candidates = new DraftCandidate[goesOn.Length];
        for (var i = 0; i < candidates.Length; i++)
        {
            var state = (GoodputSequenceState)step.States[i];
            state.Extend(step.Entropy[i]);
            candidates[i] = new DraftCandidate(i, state.Reach, state.Acceptance);
        }

        Array.Sort(candidates);
        goesOn.Clear();
        foreach (var candidate in candidates.AsSpan(0, CountWorthDrafting(step.Proposed, candidates)))
        {
            goesOn[candidate.Place] = true;
            _iteration.Rows++;
        }
    }

    /// <inheritdoc/>
    public void ObserveIteration(int emitted, double elapsedMs)
    {
        if (_iteration.PromisedRate > 0)
        {
            var ratio = Math.Clamp(
                emitted / elapsedMs / _iteration.PromisedRate,
                GoodputConstants.MinRateCorrection,
                GoodputConstants.MaxRateCorrection
            );
            _correction += GoodputConstants.RateCorrectionStep * (ratio - _correction);
        }
    }

    private static int OtherRows(in PlanningContext context)
    {
        var rows = context.OtherLengths.Length;
        foreach (var length in context.OtherLengths)
        {
            rows += length;
        }

        return rows;
    }

    private static void Try(int length, in PlanningContext context, Span<SpeculationPlan> plans)
    {
        for (var i = 0; i < context.MaxLengths.Length; i++)
        {
            plans[i] = new SpeculationPlan(Math.Min(length, context.MaxLengths[i]));
        }
    }

    private void Speculate(in LengthAllocation allocation, in PlanningContext context, Span<SpeculationPlan> plans)
    {
        _iteration.PromisedRate = allocation.Rate;
        var deviation = _exploration.NextDeviation();
        _iteration.Eagerness =
            deviation > 0 ? GoodputConstants.EagernessOfDeviation
            : deviation < 0 ? 1 / GoodputConstants.EagernessOfDeviation
            : 1;
        for (var i = 0; i < allocation.Lengths.Length; i++)
        {
            if (allocation.Lengths[i] > 0)
            {
                var length = readsDraftSteps
                    ? context.MaxLengths[i]
                    : Math.Clamp(allocation.Lengths[i] + deviation, 1, context.MaxLengths[i]);
                plans[i] = new SpeculationPlan(length);
                _iteration.LongestLength = Math.Max(_iteration.LongestLength, length);
                _iteration.Rows++;
            }
        }
    }

    /// <summary>Tries the sequence whose draft has the least to catch up with.</summary>
    private void ProbeIfDue(in PlanningContext context, Span<SpeculationPlan> plans)
    {
        var nearest = -1;
        for (var i = 0; i < plans.Length && i < context.MaxLengths.Length; i++)
        {
            if (context.MaxLengths[i] > 0 && (nearest < 0 || context.DraftLags[i] < context.DraftLags[nearest]))
            {
                nearest = i;
            }
        }

        var length = Math.Min(GoodputConstants.ProbeLength, context.MaxLengths[nearest]);
        var rows = _iteration.Rows;
        var plainMs = costs.Verify(rows) + costs.Rest(rows, false);
        var probeMs =
            costs.Verify(rows + length)
            + costs.Rest(rows + length, true)
            + costs.Draft(context.DraftLags[nearest])
            + ((length - 1) * costs.Draft(1));
        if (
            _probedFrom != _workload.Count
            && !_probes.IsDue(plainMs, probeMs - plainMs, _workload.Mean(isGreedy: true) + _workload.Mean(isGreedy: false))
        )
        {
            _probedFrom = null;
            return;
        }

        // A draft that has missed a lot catches up first and proposes in a later iteration: the probe goes on until it has.
        _probedFrom = _workload.Count;
        plans[nearest] = new SpeculationPlan(length);
    }

    /// <summary>
    /// How many sequences, the likeliest first, should take part in the next step: as many as make the tokens expected from this and
    /// further steps exceed most what their time is worth. Looking one step ahead would not do, because the time of a pass rises in steps
    /// too.
    /// </summary>
    private int CountWorthDrafting(int step, ReadOnlySpan<DraftCandidate> candidates)
    {
        var others = _iteration.OthersIn(step);
        var rate = _iteration.PromisedRate * _correction / _iteration.Eagerness;
        var alreadySpent = costs.Verify(_iteration.Rows) + costs.Rest(_iteration.Rows, true);
        var ahead = Math.Max(1, _iteration.LongestLength - step);
        Span<double> tokens = stackalloc double[ahead]; // by number of further steps
        tokens.Clear();
        double bestGain = 0;
        var bestCount = 0;
        for (var count = 1; count <= candidates.Length; count++)
        {
            var stepMs = costs.Draft(others + count) - (others > 0 ? costs.Draft(others) : 0);
            var (reach, acceptance) = (candidates[count - 1].Reach, candidates[count - 1].Acceptance);
            double more = 0;
            for (var steps = 1; steps <= ahead; steps++)
            {
                reach *= acceptance;
                more += reach;
                tokens[steps - 1] += more;
                var rows = _iteration.Rows + (count * steps);
                var gain = tokens[steps - 1] - (rate * (costs.Verify(rows) + costs.Rest(rows, true) - alreadySpent + (steps * stepMs)));
                if (gain > bestGain)
                {
                    (bestGain, bestCount) = (gain, count);
                }
            }
        }

        return bestCount;
    }

    /// <summary>A sequence that may go on drafting; the likeliest to gain a token come first.</summary>
    private readonly record struct DraftCandidate(int Place, double Reach, double Acceptance) : IComparable<DraftCandidate>
    {
        public int CompareTo(DraftCandidate other) => (other.Reach * other.Acceptance).CompareTo(Reach * Acceptance);
    }

    /// <summary>What has been decided about the iteration that is under way.</summary>
    private sealed class IterationPlan(ReadOnlySpan<int> otherLengths)
    {
        private readonly int[] _otherLengths = otherLengths.ToArray();

        /// <summary>Rows of the target's pass so far.</summary>
        public int Rows { get; set; }

        /// <summary>Most tokens that one of the policy's sequences may propose.</summary>
        public int LongestLength { get; set; }

        /// <summary>
        /// By how much tokens are valued above what they are worth, in an iteration that deviates for the sake of learning.
        /// </summary>
        public double Eagerness { get; set; } = 1;

        /// <summary>Tokens per millisecond that the allocation promised; 0 without speculation.</summary>
        public double PromisedRate { get; set; }

        /// <summary>Sequences of other policies in a draft step.</summary>
        public int OthersIn(int step) => _otherLengths.Count(length => length > step);
    }
}
