using CsCheck;
using Dsde.Speculation.Guarding;
using static Dsde.Speculation.Tests.Guarding.GuardCases;

namespace Dsde.Speculation.Tests.Guarding;

public class CostGuardTests
{
    private static readonly string[] Shapes = ["flat", "steps", "linear", "bandwidth", "cliff"];

    [Fact]
    public void Without_a_profile_every_wish_is_granted()
    {
        var lengths = new int[2];
        var guard = new CostGuard();
        guard.Plan([Guarded(0.01, wish: 7), Given(0.01, 3)], lengths);
        lengths.ShouldBe([7, 3]);
        guard.IsSpeculating.ShouldBeTrue();
    }

    [Fact]
    public void No_sequence_gets_more_than_its_wish_and_a_given_length_is_kept() =>
        Gen.Select(Gen.Select(Gen.Int[0, 10], Gen.Double[0, 1], Gen.Bool).Array[1, 12], Gen.Int[0, 4])
            .Sample(
                (batch, shape) =>
                {
                    var sequences = batch.Select(one => one.Item3 ? Guarded(one.Item2, one.Item1) : Given(one.Item2, one.Item1)).ToArray();
                    var guard = new CostGuard { Profile = Profile(Shape(Shapes[shape]), 0.05) };
                    for (var i = 0; i < 3; i++)
                    {
                        var lengths = new int[sequences.Length];
                        guard.Plan(sequences, lengths);
                        for (var s = 0; s < sequences.Length; s++)
                        {
                            lengths[s].ShouldBeInRange(sequences[s].IsGuarded ? 0 : sequences[s].Wish, sequences[s].Wish);
                        }
                    }
                },
                iter: 100
            );

    [Fact]
    public void The_lengths_come_near_the_best_of_an_exhaustive_search()
    {
        var worst = 1.0;
        var one = Gen.Select(Gen.Double[0.05, 0.98], Gen.Int[0, 4], Gen.Frequency((2, Gen.Const(0)), (1, Gen.Int[1, 6])));
        Gen.Select(one.Array[1, 4], Gen.Int[0, 4], Gen.Double[0.01, 0.4], Gen.Int[0, 2])
            .Sample(
                (batch, shape, draftShare, given) =>
                {
                    GuardedSequence[] sequences =
                    [
                        .. batch.Select(one => Guarded(one.Item1, one.Item2) with { Forced = one.Item3 }),
                        .. Enumerable.Repeat(Given(0.6, 2), given),
                    ];
                    var profile = Profile(Shape(Shapes[shape]), draftShare);
                    var lengths = new int[sequences.Length];
                    new CostGuard { Profile = profile }.Plan(sequences, lengths);
                    var best = All(sequences, 0).Max(candidate => Rate(profile, sequences, candidate));
                    worst = Math.Min(worst, Rate(profile, sequences, lengths) / best);
                },
                iter: 400,
                threads: 1
            );
        worst.ShouldBeGreaterThan(0.97, "A greedy way to the maximum may miss it by a little.");
    }

    [Fact]
    public void Forced_tokens_are_no_speculation_and_take_their_rows_before_it()
    {
        var guard = new CostGuard { Profile = Profile(Shape("cliff"), 0.05) }; // dear beyond 24 rows
        var lengths = new int[4];
        guard.Plan(Sequences(0), lengths);
        lengths.Sum().ShouldBeGreaterThan(8);

        guard.Plan(Sequences(5), lengths);

        lengths.ShouldBe([0, 0, 0, 0], "There is no room left below the cliff that would be worth draft passes.");
        (guard.IsSpeculating, guard.IsDrafting).ShouldBe((false, false));

        static GuardedSequence[] Sequences(int forced) => [.. Enumerable.Repeat(Guarded(0.7) with { Forced = forced }, 4)];
    }

    [Theory]
    [InlineData("flat")]
    [InlineData("steps")]
    [InlineData("linear")]
    [InlineData("bandwidth")]
    [InlineData("cliff")]
    public void Where_all_sequences_are_alike_the_best_length_for_all_is_found(string shape)
    {
        var profile = Profile(Shape(shape), 0.05);
        foreach (var chance in (double[])[0.2, 0.5, 0.8, 0.95])
        {
            var sequences = Enumerable.Repeat(Guarded(chance), 8).ToArray();
            var lengths = new int[8];
            new CostGuard { Profile = profile }.Plan(sequences, lengths);
            var best = Enumerable.Range(0, 11).Max(length => Rate(profile, sequences, [.. Enumerable.Repeat(length, 8)]));
            Rate(profile, sequences, lengths).ShouldBeGreaterThanOrEqualTo(best * 0.9999);
        }
    }

    [Fact]
    public void Speculation_that_is_off_begins_only_where_it_promises_a_gain()
    {
        // One proposal of 0.25 target passes' cost: about a quarter must be accepted to pay.
        var guard = new CostGuard { Profile = Profile(Shape("flat"), 0.25) };
        Plan(guard, 0.05).ShouldBe(0);
        guard.IsSpeculating.ShouldBeFalse();
        Plan(guard, 0.255).ShouldBe(0, "A hundredth is not enough.");
        Plan(guard, 0.30).ShouldBe(1);
        guard.IsSpeculating.ShouldBeTrue();
        Plan(guard, 0.255).ShouldBe(1, "What is on stays on while it does not lose.");
        Plan(guard, 0.23).ShouldBe(0);
    }

    [Fact]
    public void The_straggler_does_not_get_a_draft_pass_of_its_own_where_that_costs_more_than_it_gains()
    {
        var profile = Profile(Shape("flat"), 0.15);
        var lengths = new int[8];
        new CostGuard { Profile = profile }.Plan([Guarded(0.95), .. Enumerable.Repeat(Guarded(0.3), 7)], lengths);
        var alone = new int[1];
        new CostGuard { Profile = profile }.Plan([Guarded(0.95)], alone);
        lengths[0].ShouldBeLessThan(alone[0]);
    }

    [Fact]
    public void Rows_that_others_have_taken_are_not_free_any_more()
    {
        var profile = Profile(rows => rows <= 8 ? 1 : 3, 0.02);
        var alone = new int[1];
        new CostGuard { Profile = profile }.Plan([Guarded(0.6)], alone);
        alone[0].ShouldBeGreaterThan(2);
        var beside = new int[8];
        new CostGuard { Profile = profile }.Plan([Guarded(0.6), .. Enumerable.Repeat(Given(0.6, 0), 7)], beside);
        beside.ShouldAllBe(length => length == 0);
    }

    [Fact]
    public void A_guarded_sequence_speculates_beside_others_that_always_do()
    {
        var lengths = new int[3];
        new CostGuard { Profile = Profile(Shape("flat"), 0.05) }.Plan([Guarded(0.9), Given(0.1, 4), Given(0.1, 4)], lengths);
        lengths.ShouldBe([lengths[0], 4, 4]);
        lengths[0].ShouldBeGreaterThan(4);
    }

    [Theory]
    [InlineData(0.02, false)] // it never pays, and is tried all the same
    [InlineData(0.9, true)] // it always pays, and is left out now and then
    public void Hold_outs_lose_about_one_percent_of_the_time(double chance, bool isSpeculating)
    {
        const int Iterations = 5000;
        var profile = Profile(Shape("steps"), 0.1);
        var guard = new CostGuard { Profile = profile };
        var sequences = Enumerable.Repeat(Guarded(chance), 8).ToArray();
        var lengths = new int[8];
        guard.Plan(sequences, lengths);
        var best = Rate(profile, sequences, lengths);
        double tokens = 0,
            milliseconds = 0;
        var heldOut = 0;
        for (var i = 0; i < Iterations; i++)
        {
            guard.Plan(sequences, lengths);
            guard.IsSpeculating.ShouldBe(isSpeculating);
            heldOut += guard.IsHoldOut ? 1 : 0;
            (lengths.Any(length => length > 0) != isSpeculating).ShouldBe(guard.IsHoldOut);
            tokens += Tokens(sequences, lengths);
            milliseconds += Tokens(sequences, lengths) / Rate(profile, sequences, lengths);
        }

        heldOut.ShouldBeInRange(Iterations / 200, Iterations / 15);
        (tokens / milliseconds / best).ShouldBeInRange(0.988, 0.9995);
    }

    [Fact]
    public void A_sequence_that_is_left_out_while_others_speculate_is_tried_now_and_then()
    {
        var guard = new CostGuard { Profile = Profile(Shape("linear"), 0.02) };
        GuardedSequence[] sequences = [.. Enumerable.Repeat(Guarded(0.97), 4), Guarded(0.02)];
        var lengths = new int[5];
        var (tried, plain) = (0, 0);
        for (var i = 0; i < 5000; i++)
        {
            guard.Plan(sequences, lengths);
            tried += lengths[4] > 0 ? 1 : 0;
            plain += lengths.Sum() == 0 ? 1 : 0;
        }

        tried.ShouldBeInRange(20, 500);
        plain.ShouldBeInRange(20, 500);
    }

    [Fact]
    public void The_hold_out_chooses_the_sequence_whose_draft_lags_least()
    {
        var guard = new CostGuard { Profile = Profile(Shape("steps"), 0.1) };
        GuardedSequence[] sequences =
        [
            Guarded(0.02, lag: 90),
            Guarded(0.02, lag: 3),
            Guarded(0.02, wish: 0, lag: 1),
            Guarded(0.02, lag: 50),
        ];
        var lengths = new int[4];
        for (var i = 0; i < 2000; i++)
        {
            guard.Plan(sequences, lengths);
            lengths.ShouldBe(guard.IsHoldOut ? [0, 3, 0, 0] : [0, 0, 0, 0]);
        }
    }

    [Fact]
    public void A_batch_without_wishes_changes_nothing()
    {
        var guard = new CostGuard { Profile = Profile(Shape("steps"), 0.1) };
        var lengths = new int[2];
        guard.Plan([Guarded(0.9, wish: 0), Given(0.5, 0)], lengths);
        lengths.ShouldBe([0, 0]);
        guard.IsSpeculating.ShouldBeTrue();
    }

    private static int Plan(CostGuard guard, double chance)
    {
        var lengths = new int[1];
        do
        {
            guard.Plan([Guarded(chance, wish: 1)], lengths);
        } while (guard.IsHoldOut);

        return lengths[0];
    }

    private static IEnumerable<int[]> All(GuardedSequence[] sequences, int from)
    {
        if (from == sequences.Length)
        {
            yield return new int[from];
            yield break;
        }

        foreach (var rest in All(sequences, from + 1))
        {
            for (var length = sequences[from].IsGuarded ? 0 : sequences[from].Wish; length <= sequences[from].Wish; length++)
            {
                var lengths = rest.ToArray();
                lengths[from] = length;
                yield return lengths;
            }
        }
    }

    private static double Tokens(GuardedSequence[] sequences, int[] lengths)
    {
        double tokens = 0;
        for (var i = 0; i < sequences.Length; i++)
        {
            var survival = new double[lengths[i]];
            sequences[i].Curve.CopyTo(survival);
            tokens += 1 + sequences[i].Forced + survival.Sum();
        }

        return tokens;
    }

    /// <summary>Tokens per millisecond by the formula, without the guard's own arithmetic.</summary>
    private static double Rate(CostProfile profile, GuardedSequence[] sequences, int[] lengths)
    {
        var draftMs = Enumerable.Range(0, lengths.Max()).Sum(step => profile.Draft.At(lengths.Count(length => length > step)));
        var rows = lengths.Length + sequences.Sum(sequence => sequence.Forced) + lengths.Sum();
        var restMs = (lengths.Max() > 0 ? profile.SpeculatingRest : profile.PlainRest).At(rows);
        return Tokens(sequences, lengths) / (profile.Target.At(rows) + draftMs + restMs);
    }
}
