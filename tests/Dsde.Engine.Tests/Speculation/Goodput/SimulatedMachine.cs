using Dsde.Engine.Speculation;
using Dsde.Engine.Speculation.Goodput;

namespace Dsde.Engine.Tests.Speculation.Goodput;

/// <summary>What a simulated draft is like at a position: its entropy, and the chance that its proposal is accepted.</summary>
internal readonly record struct DraftedPosition(float Entropy, double Chance);

/// <summary>
/// Runs a policy against scripted costs and acceptance: plans, drafts with early stops, accepts at random from a fixed seed, and lets a
/// clock of its own tell the time.
/// </summary>
internal sealed class SimulatedMachine(Func<int, double> draftMs, Func<int, double> verifyMs, int batchSize)
{
    /// <summary>What a pass takes on average, relative to its scripted cost: noise only adds.</summary>
    public const double MeanNoise = 1 + (Noise / 2);

    private const int MaxLength = 10;
    private const double Noise = 0.05;
    private readonly Random _random = new(11);
    private readonly int[] _lags = Enumerable.Repeat(1, batchSize).ToArray();

    /// <summary>What the engine would have measured so far.</summary>
    public IterationCosts Costs { get; } = new();

    /// <summary>Time outside the passes.</summary>
    public const double RestMs = 0.5;

    /// <summary>Chance that a pass takes ten times as long, as on a busy machine.</summary>
    public double OutlierChance { get; init; }

    /// <summary>Whether the passes' own times are known.</summary>
    public bool PassesAreTimed { get; init; } = true;

    /// <summary>The draft at the next position, by iteration.</summary>
    public required Func<Random, int, DraftedPosition> Draft { get; init; }

    /// <summary>Mean length of each iteration run so far.</summary>
    public List<double> MeanLengths { get; } = [];

    /// <summary>
    /// A flat cost while weights stream from memory, a rise where arithmetic decides, and a step where another kernel takes over.
    /// </summary>
    public static double Pass(int rows, double milliseconds) =>
        milliseconds * ((rows <= 8 ? 1 + (0.01 * rows) : 1.25) + (0.03 * Math.Max(0, rows - 12)));

    /// <summary>A policy on this machine.</summary>
    public ISpeculationPolicy Create(string name, bool readsDraftSteps = true) =>
        PolicyFactory.Create(PolicyConfiguration.Parse(name), MaxLength, Costs, readsDraftSteps);

    /// <summary>Runs some iterations; the result is tokens per millisecond.</summary>
    public double Run(ISpeculationPolicy policy, int iterations, int sequenceLength = 100)
    {
        double tokens = 0,
            milliseconds = 0;
        var states = Enumerable.Range(0, batchSize).Select(_ => policy.CreateState(1)).ToArray();
        var emitted = new int[batchSize];
        for (var iteration = 0; iteration < iterations; iteration++)
        {
            var (gained, elapsedMs) = RunIteration(policy, states, emitted, iteration);
            tokens += gained;
            milliseconds += elapsedMs;
            for (var i = 0; i < batchSize; i++)
            {
                if (emitted[i] >= sequenceLength)
                {
                    (states[i], emitted[i], _lags[i]) = (policy.CreateState(1), 0, policy.PrefillsDraft ? 1 : 20);
                }
            }
        }

        return tokens / milliseconds;
    }

    private (int Tokens, double Milliseconds) RunIteration(
        ISpeculationPolicy policy,
        ISequencePolicyState[] states,
        int[] emitted,
        int iteration
    )
    {
        var plans = new SpeculationPlan[batchSize];
        policy.Plan(
            new PlanningContext
            {
                MaxLengths = Enumerable.Repeat(MaxLength, batchSize).ToArray(),
                DraftLags = _lags,
                OtherLengths = [],
            },
            states,
            plans
        );
        var drafts = Enumerable.Range(0, batchSize).Select(_ => new List<DraftedPosition>()).ToArray();
        var active = Enumerable.Range(0, batchSize).Where(i => plans[i].Length > 0).ToArray();
        var passes = new List<PassTiming>();
        for (var step = 0; active.Length > 0; step++)
        {
            passes.Add(Time(step == 0 ? active.Sum(i => _lags[i]) : active.Length, draftMs));
            foreach (var i in active)
            {
                drafts[i].Add(Draft(_random, iteration));
            }

            active = FindThoseThatGoOn(policy, states, [.. active.Where(i => plans[i].Length > step + 1)], drafts);
        }

        var verify = Time(batchSize + drafts.Sum(draft => draft.Count), verifyMs);
        var tokens = 0;
        for (var i = 0; i < batchSize; i++)
        {
            var gained = 1 + Judge(states[i], drafts[i]);
            _lags[i] =
                drafts[i].Count == 0 ? _lags[i] + 1
                : gained > drafts[i].Count ? 2
                : 1;
            emitted[i] += gained;
            tokens += gained;
        }

        var total = RestMs + verify.Milliseconds + passes.Sum(pass => pass.Milliseconds);
        Costs.Observe(new IterationTiming(passes, verify, total, PassesAreTimed));
        policy.ObserveIteration(tokens, total);
        MeanLengths.Add(drafts.Average(draft => draft.Count));
        return (tokens, total);
    }

    private static int[] FindThoseThatGoOn(
        ISpeculationPolicy policy,
        ISequencePolicyState[] states,
        int[] asked,
        List<DraftedPosition>[] drafts
    )
    {
        if (policy.EarlyStopping is not { } stopping || asked.Length == 0)
        {
            return asked;
        }

        var entropy = asked.Select(i => drafts[i][^1].Entropy).ToArray();
        var goesOn = Enumerable.Repeat(true, asked.Length).ToArray();
        stopping.Decide(
            new DraftedStep
            {
                Proposed = drafts[asked[0]].Count,
                States = asked.Select(i => states[i]).ToArray(),
                Entropy = entropy,
            },
            goesOn
        );
        return [.. asked.Where((_, place) => goesOn[place])];
    }

    private int Judge(ISequencePolicyState state, List<DraftedPosition> draft)
    {
        var accepted = 0;
        while (accepted < draft.Count && _random.NextDouble() < draft[accepted].Chance)
        {
            accepted++;
        }

        if (draft.Count > 0)
        {
            var chances = draft.Select(position => (float)position.Chance).ToArray();
            state.Observe(
                new VerifiedStep
                {
                    Accepted = accepted,
                    Kld = chances,
                    Beta = chances,
                    DraftEntropy = draft.Select(position => position.Entropy).ToArray(),
                    Temperature = 1,
                }
            );
        }

        return accepted;
    }

    private PassTiming Time(int rows, Func<int, double> cost) =>
        new(rows, cost(rows) * (1 + (Noise * _random.NextDouble())) * (_random.NextDouble() < OutlierChance ? 10 : 1));
}
