using System.Globalization;
using Dsde.Speculation.Guarding;

namespace Dsde.Speculation.Tests.Guarding;

/// <summary>The guard without any wish of a policy against an oracle that knows which fixed length is the best of all.</summary>
public class GuardSimulationTests
{
    private const double Wanted = 0.98;
    private const double Tolerance = 0.03; // the guard begins without knowing anything, and it holds out 1 % of the time
    private const int SequenceLength = 60;

    /// <summary>Costs, the draft's share, sequences at once, and kinds of acceptance.</summary>
    public static readonly TheoryData<string, double, int, string> Cases = Create();

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_guard_is_as_fast_as_plain_decoding_and_as_the_best_fixed_length(
        string shape,
        double draftShare,
        int batchSize,
        string acceptance
    )
    {
        var sequences = Sequences(acceptance, 100 + (30 * batchSize));
        var rates = Enumerable.Range(0, 11).Select(length => Create().RunFixed(length)).ToArray();

        var rate = Create().RunGuarded();

        (rate / rates[0]).ShouldBeGreaterThan(Wanted);
        (rate / rates.Max()).ShouldBeGreaterThan(Wanted - Tolerance, $"The best is {Array.IndexOf(rates, rates.Max())}.");

        SimulatedEngine Create() => new(GuardCases.Shape(shape), draftShare, batchSize, sequences);
    }

    [Theory]
    [InlineData(1, 0.8)]
    [InlineData(8, 0.8)]
    [InlineData(1, 1.3)]
    [InlineData(8, 1.3)]
    public void A_profile_that_is_wrong_about_speculation_is_corrected(int batchSize, double bias)
    {
        // Speculation that would pay by the profile does not, or the other way round.
        var sequences = Sequences("even 0.35", 200 * batchSize);
        var best = Enumerable.Range(0, 11).Max(length => Create().RunFixed(length));
        (Create().RunGuarded() / best).ShouldBeGreaterThan(0.96);

        SimulatedEngine Create() => new(GuardCases.Shape("steps"), 0.25, batchSize, sequences) { Bias = bias };
    }

    [Theory]
    [InlineData("even 0.8")]
    [InlineData("useless")]
    public void A_machine_that_is_busy_now_and_then_does_not_mislead_it(string acceptance)
    {
        var sequences = Sequences(acceptance, 400);
        var best = Enumerable.Range(0, 11).Max(length => Create().RunFixed(length));
        (Create().RunGuarded() / best).ShouldBeGreaterThan(0.93, "Outliers hit the one more often than the other.");

        SimulatedEngine Create() =>
            new(GuardCases.Shape("steps"), 0.05, 8, sequences)
            {
                OutlierChance = 0.01,
                Slowness = milliseconds => (int)(milliseconds / 3000) % 2 == 0 ? 1 : 2,
            };
    }

    [Fact]
    public void It_speculates_again_once_the_draft_has_come_to_be_of_use()
    {
        var engine = new SimulatedEngine(GuardCases.Shape("steps"), 0.05, 8, [.. Sequences("useless", 400), .. Sequences("even 0.9", 800)]);
        engine.RunGuarded();
        engine.MeanLengths[500..2500].Average().ShouldBeLessThan(0.2);
        engine.MeanLengths[^400..^50].Average().ShouldBeGreaterThan(3);
    }

    [Fact]
    public void At_break_even_it_does_not_flicker()
    {
        var engine = new SimulatedEngine(GuardCases.Shape("flat"), 0.45, 1, Sequences("even 0.48", 500));
        engine.RunGuarded();
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

    private static List<bool[]> Sequences(string acceptance, int count)
    {
        var random = new Random(3);
        return [.. Enumerable.Range(0, count).Select(index => Positions(acceptance, index, random))];
    }

    private static bool[] Positions(string acceptance, int index, Random random)
    {
        var isEasy = index % 2 == 0;
        var positions = new bool[SequenceLength];
        for (var i = 0; i < positions.Length; i++)
        {
            isEasy ^= acceptance == "stretches" && random.NextDouble() < 0.04;
            var chance = acceptance switch
            {
                "useless" => 0.01,
                "mixed" or "stretches" => isEasy ? 0.96 : 0.4,
                _ => double.Parse(acceptance.Split(' ')[1], CultureInfo.InvariantCulture),
            };
            positions[i] = random.NextDouble() < chance;
        }

        return positions;
    }
}
