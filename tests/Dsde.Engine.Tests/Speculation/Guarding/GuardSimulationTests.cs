using Dsde.Engine.Speculation.Guarding;

namespace Dsde.Engine.Tests.Speculation.Guarding;

/// <summary>The guard without any wish of a policy against an oracle that knows which fixed length is the best of all.</summary>
public class GuardSimulationTests
{
    private const long Tokens = 30_000;
    private const double Tolerance = 0.01; // of the oracle's luck: it is the best of eleven noisy runs

    /// <summary>Costs, the draft's share, sequences, and kinds of acceptance.</summary>
    public static readonly TheoryData<string, double, int, string> Cases = Create();

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_guard_is_as_fast_as_the_best_fixed_length_and_as_plain_decoding(
        string shape,
        double draftShare,
        int batchSize,
        string acceptance
    )
    {
        var fixedRates = Enumerable.Range(0, 11).Select(length => Create().RunFixed(length, Tokens)).ToArray();

        var rate = Create().RunGuarded(Tokens);

        (rate / fixedRates[0]).ShouldBeGreaterThan(0.98 - Tolerance, "plain decoding");
        (rate / fixedRates.Max()).ShouldBeGreaterThan(
            0.98 - Tolerance,
            $"the best fixed length, {Array.IndexOf(fixedRates, fixedRates.Max())}"
        );

        SimulatedEngine Create() => new(GuardCases.Shape(shape), draftShare, batchSize, Acceptance(acceptance));
    }

    [Theory]
    [InlineData(1, 0.8)]
    [InlineData(8, 0.8)]
    [InlineData(1, 1.3)]
    [InlineData(8, 1.3)]
    public void A_profile_that_is_wrong_about_speculation_is_corrected(int batchSize, double bias)
    {
        // Speculation that would pay by the profile does not, or the other way round.
        SimulatedEngine Create() => new(GuardCases.Shape("steps"), 0.25, batchSize, Acceptance("even 0.35")) { Bias = bias };
        var best = Enumerable.Range(0, 11).Max(length => Create().RunFixed(length, Tokens));
        var engine = Create();
        var guard = new CostGuard { Profile = GuardCases.Profile(GuardCases.Shape("steps"), 0.25) };
        engine.RunGuarded(Tokens, guard);
        (engine.RunGuarded(Tokens, guard) / best).ShouldBeGreaterThan(0.97);
    }

    [Theory]
    [InlineData(8, "even 0.8")]
    [InlineData(8, "useless")]
    public void A_machine_that_is_busy_now_and_then_does_not_mislead_it(int batchSize, string acceptance)
    {
        SimulatedEngine Create() =>
            new(GuardCases.Shape("steps"), 0.05, batchSize, Acceptance(acceptance))
            {
                OutlierChance = 0.02,
                Slowness = milliseconds => (int)(milliseconds / 3000) % 2 == 0 ? 1 : 2,
            };
        var best = Enumerable.Range(0, 11).Max(length => Create().RunFixed(length, Tokens));
        (Create().RunGuarded(Tokens) / best).ShouldBeGreaterThan(0.95);
    }

    [Fact]
    public void It_speculates_again_once_the_draft_has_come_to_be_of_use()
    {
        var engine = new SimulatedEngine(GuardCases.Shape("steps"), 0.05, 8, (_, tokens, _) => tokens < Tokens / 2 ? 0.02 : 0.9);
        engine.RunGuarded(Tokens / 2);
        var (off, on) = (engine.MeanLengths.Count / 2, engine.MeanLengths.Count);
        engine.MeanLengths[off..on].Average().ShouldBeLessThan(0.2);
        var guard = new CostGuard { Profile = GuardCases.Profile(GuardCases.Shape("steps"), 0.05) };
        engine.RunGuarded(4 * Tokens, guard);
        engine.MeanLengths.TakeLast(200).Average().ShouldBeGreaterThan(3);
    }

    [Fact]
    public void At_break_even_it_does_not_flicker()
    {
        var engine = new SimulatedEngine(GuardCases.Shape("flat"), 0.45, 1, Acceptance("even 0.48"));
        engine.RunGuarded(Tokens);
        var isOn = engine.MeanLengths.ConvertAll(length => length > 0);
        var switches = isOn.Zip(isOn.Skip(1)).Count(pair => pair.First != pair.Second);
        ((double)switches / isOn.Count).ShouldBeLessThan(0.15, "Hold-outs are two switches each, and at most one in twenty iterations.");
    }

    private static TheoryData<string, double, int, string> Create()
    {
        var cases = new TheoryData<string, double, int, string>();
        foreach (var shape in (string[])["flat", "steps", "linear", "bandwidth", "cliff"])
        {
            foreach (var batchSize in (int[])[1, 8, 32])
            {
                foreach (var acceptance in (string[])["useless", "even 0.5", "even 0.8", "mixed", "stretches"])
                {
                    cases.Add(shape, acceptance == "even 0.5" ? 0.3 : 0.05, batchSize, acceptance);
                }
            }
        }

        return cases;
    }

    private static Func<int, long, Random, double> Acceptance(string name)
    {
        var isEasy = new bool[64];
        return name switch
        {
            "useless" => (_, _, _) => 0.01,
            "mixed" => (sequence, _, _) => sequence % 2 == 0 ? 0.95 : 0.4,
            "stretches" => (sequence, _, random) =>
            {
                isEasy[sequence] ^= random.NextDouble() < 0.04;
                return isEasy[sequence] ? 0.97 : 0.4;
            },
            _ => (_, _, _) => double.Parse(name.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture),
        };
    }
}
