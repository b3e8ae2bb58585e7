using Dsde.Speculation;
using Dsde.Speculation.Guarding;

namespace Dsde.Speculation.Tests.Guarding;

public class AcceptanceTests
{
    [Fact]
    public void A_curve_that_has_seen_nothing_is_the_geometric_prior() =>
        Survival(new SurvivalCurve(null, 0.995), 4).ShouldBe([0.85, Math.Pow(0.85, 2), Math.Pow(0.85, 3), Math.Pow(0.85, 4)], 1e-12);

    [Fact]
    public void Counts_of_reached_and_accepted_weigh_against_the_prior()
    {
        var curve = new SurvivalCurve(null, decay: 1);
        curve.Add([1, 1, 0]);
        curve.Add([0]);
        var first = (1 + (4 * 0.85)) / (2 + 4);
        var second = (1 + (4 * first)) / (1 + 4);
        var third = (0 + (4 * second)) / (1 + 4);
        curve.Acceptance(1).ShouldBe(first, 1e-12);
        curve.Acceptance(2).ShouldBe(second, 1e-12);
        curve.Acceptance(3).ShouldBe(third, 1e-12);
        curve.Acceptance(4).ShouldBe(third, 1e-12, "What nobody has reached is as good as what comes before.");
        curve.Acceptance(9).ShouldBe(third, 1e-12);
        curve.MeanAcceptance.ShouldBe((2 + (4 * 0.85)) / (4 + 4), 1e-12);
    }

    [Fact]
    public void What_is_older_counts_for_less_and_a_rare_step_for_many()
    {
        var curve = new SurvivalCurve(null, decay: 0.5);
        curve.Add([1]);
        curve.Add([0]);
        curve.Acceptance(1).ShouldBe((0.5 + 3.4) / (1.5 + 4), 1e-12);

        var rare = new SurvivalCurve(null, decay: 0.5);
        rare.Add([1]);
        rare.Add([0], weight: 2);
        rare.Acceptance(1).ShouldBe((0.25 + 3.4) / (2.25 + 4), 1e-12);
    }

    [Fact]
    public void A_mixture_of_easy_and_hard_stretches_has_a_fatter_tail_than_any_geometric_curve()
    {
        var random = new Random(5);
        var curve = new SurvivalCurve(null, 0.999);
        for (var i = 0; i < 4000; i++)
        {
            var chance = i % 2 == 0 ? 0.95 : 0.3;
            curve.Add(Draw(random, chance, 8));
        }

        var survival = Survival(curve, 8);
        survival[0].ShouldBe((0.95 + 0.3) / 2, 0.04);
        survival[7].ShouldBe((Math.Pow(0.95, 8) + Math.Pow(0.3, 8)) / 2, 0.04);
        survival[7].ShouldBeGreaterThan(5 * Math.Pow(survival[0], 8));
    }

    [Fact]
    public void Steps_of_any_length_tell_the_same_curve()
    {
        var (random, curve) = (new Random(6), new SurvivalCurve(null, 0.999));
        for (var i = 0; i < 4000; i++)
        {
            curve.Add(Draw(random, 0.8, 1 + (i % 6)));
        }

        var survival = Survival(curve, 6);
        for (var depth = 1; depth <= 6; depth++)
        {
            survival[depth - 1].ShouldBe(Math.Pow(0.8, depth), 0.05);
        }
    }

    [Fact]
    public void A_new_workload_starts_from_what_all_have_taught_and_goes_its_own_way()
    {
        var acceptance = new WorkloadAcceptance();
        for (var i = 0; i < 100; i++)
        {
            acceptance.Observe(Kind("easy"), new SequenceAcceptance(), Step(4, 4), isRare: false);
        }

        acceptance.CurveOf(Kind("new")).Acceptance(1).ShouldBeGreaterThan(0.97);
        for (var i = 0; i < 100; i++)
        {
            acceptance.Observe(Kind("hard"), new SequenceAcceptance(), Step(0, 4), isRare: false);
        }

        acceptance.CurveOf(Kind("hard")).Acceptance(1).ShouldBeLessThan(0.05);
        acceptance.CurveOf(Kind("easy")).Acceptance(1).ShouldBeGreaterThan(0.95);
        acceptance.CurveOf(Kind("easy", isGreedy: false)).Acceptance(1).ShouldBe(0.85, "Greedy and sampled are kept apart.");
    }

    [Fact]
    public void More_labels_than_anybody_needs_share_a_curve()
    {
        var acceptance = new WorkloadAcceptance();
        var curves = Enumerable.Range(0, 1000).Select(i => acceptance.CurveOf(Kind($"label {i}"))).Distinct().Count();
        curves.ShouldBeLessThan(100);
        acceptance.CurveOf(Kind("label 999")).ShouldBe(acceptance.CurveOf(Kind("label 998")));
        acceptance.CurveOf(Kind("label 0")).ShouldNotBe(acceptance.CurveOf(Kind("label 1")));
    }

    [Theory]
    [InlineData(true, 0.5)] // β of the accepted ones and of the rejected one
    [InlineData(false, 2 / 3d)]
    public void Beta_stands_for_the_coin_only_where_it_is_the_chance_of_acceptance(bool isTheChance, double expected)
    {
        var acceptance = new WorkloadAcceptance();
        var kind = Kind("w", isGreedy: false) with { BetaIsTheChance = isTheChance };
        for (var i = 0; i < 1000; i++)
        {
            acceptance.Observe(kind, new SequenceAcceptance(), Step(2, 5), isRare: false);
        }

        acceptance.CurveOf(kind).MeanAcceptance.ShouldBe(expected, 0.02);
    }

    [Theory]
    [InlineData(0, 2.65)] // of each step
    [InlineData(3, 0.28)]
    public void A_sequence_that_fares_otherwise_than_its_workload_has_another_exponent(int acceptedOfThree, double expected)
    {
        var own = new SequenceAcceptance();
        own.Exponent(0.6).ShouldBe(1);
        for (var i = 0; i < 50; i++)
        {
            own.Add(acceptedOfThree == 3 ? [1, 1, 1] : [0]);
        }

        own.Exponent(0.6).ShouldBe(expected, 0.1);
    }

    [Fact]
    public void A_bad_stretch_is_not_held_against_a_sequence_that_is_left_out_for_long()
    {
        var own = new SequenceAcceptance();
        for (var i = 0; i < 50; i++)
        {
            own.Add([0]);
        }

        own.Exponent(0.8).ShouldBeGreaterThan(3);
        for (var i = 0; i < 200; i++)
        {
            own.Add([]);
        }

        own.Exponent(0.8).ShouldBeLessThan(1.4);
    }

    [Fact]
    public void Restore_continues_where_Export_stopped()
    {
        var own = new SequenceAcceptance();
        own.Add([1, 0.5, 0]);
        var restored = new SequenceAcceptance();
        restored.Restore(own.Export());
        restored.Exponent(0.9).ShouldBe(own.Exponent(0.9));
        restored.Exponent(0.9).ShouldNotBe(1);
        Should.Throw<FormatException>(() => restored.Restore([1]));
        Should.Throw<FormatException>(() => restored.Restore([2, 1]));
        Should.Throw<FormatException>(() => restored.Restore([-1, 1]));
        Should.Throw<FormatException>(() => restored.Restore([double.NaN, 1]));
    }

    private static double[] Survival(SurvivalCurve curve, int length)
    {
        var survival = new double[length];
        curve.CopyTo(survival);
        return survival;
    }

    private static double[] Draw(Random random, double chance, int length)
    {
        var judged = new List<double>();
        while (judged.Count < length && (judged.Count == 0 || judged[^1] == 1))
        {
            judged.Add(random.NextDouble() < chance ? 1 : 0);
        }

        return [.. judged];
    }

    private static AcceptanceKind Kind(string workload, bool isGreedy = true) => new(workload, isGreedy, BetaIsTheChance: false);

    private static VerifiedStep Step(int accepted, int proposed) =>
        new()
        {
            Accepted = accepted,
            Kld = new float[proposed],
            Beta = Enumerable.Range(0, proposed).Select(i => i <= accepted ? 0.5f : 1f).ToArray(),
            DraftEntropy = new float[proposed],
            Temperature = 1,
        };
}
