using Dsde.Speculation.Guarding;
using Microsoft.Extensions.Time.Testing;

namespace Dsde.Speculation.Tests.Guarding;

public class CostProfilerTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<(int[] Lengths, IterationKind Kind)> _measured = [];

    [Fact]
    public void Row_counts_are_dense_where_they_are_few_and_end_with_the_most_that_can_be_asked_for() =>
        CostProfiler.RowCounts(88).ShouldBe([1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 88]);

    [Fact]
    public void With_time_enough_every_point_is_measured_in_every_round_and_its_cost_found()
    {
        var profile = Run(batchSize: 8, maxLength: 10, seconds: 60).ShouldNotBeNull();

        _measured.Count.ShouldBe(CostProfiler.MaxRounds * (6 + 12 + 12));
        _measured.Select(one => one.Lengths.Length + one.Lengths.Sum()).Max().ShouldBe(88);
        _measured
            .Select(one => one.Lengths)
            .ShouldAllBe(lengths => lengths.SequenceEqual(lengths.OrderDescending()) && lengths[0] <= 10 && lengths.Length <= 8);
        _measured.ShouldAllBe(one => one.Lengths[0] > 0 == (one.Kind != IterationKind.Plain));
        for (var rows = 1; rows <= 88; rows++)
        {
            profile.Target.At(rows).ShouldBe(10 + rows, 1e-9);
        }

        profile.Draft.At(5).ShouldBe(1.5, 1e-9);
        profile.Price(24, 2, IterationKind.Drafting).ShouldBe(34 + 2 + 0.5 + 0.24, 1e-9);
        profile.Price(24, 0, IterationKind.LookingUp).ShouldBe(34 + 0.25 + 0.24, 1e-9);
        profile.Price(8, 0, IterationKind.Plain).ShouldBe(18 + 0.5 + 0.08, 1e-9);
    }

    [Fact]
    public void Points_are_measured_in_turn()
    {
        Run(batchSize: 4, maxLength: 2, seconds: 60);
        var round = _measured.Count / CostProfiler.MaxRounds;
        _measured[round..].Select(Describe).ShouldBe(_measured[..^round].Select(Describe));
        _measured[..round].Select(Describe).ShouldBeUnique();
    }

    [Theory]
    [InlineData(0.2)]
    [InlineData(1)]
    [InlineData(2)]
    public void The_limit_is_kept_by_leaving_out_what_would_exceed_it(double seconds)
    {
        Run(batchSize: 32, maxLength: 10, seconds).ShouldNotBeNull();
        _time.GetElapsedTime(0, _time.GetTimestamp() - Start).TotalSeconds.ShouldBeLessThan(seconds + 0.02);
    }

    [Fact]
    public void A_model_whose_iterations_exceed_the_limit_gets_by_with_one_of_each_kind()
    {
        var profile = Run(batchSize: 8, maxLength: 10, seconds: 0.01).ShouldNotBeNull();
        _measured.Select(Describe).ShouldBe(["Plain 0", "Drafting 1", "LookingUp 1"]);
        profile.Target.At(2).ShouldBe(12, 1e-9);
        profile.Target.At(10).ShouldBe(20, 1e-9, "The last slope goes on.");
    }

    [Theory]
    [InlineData(3.8)]
    [InlineData(4)]
    [InlineData(3.9)]
    public void What_there_was_little_time_for_is_taken_from_the_rounds_that_reached_it(double seconds)
    {
        _bend = 32; // many rows cost more each than few do, which no slope of the few tells
        var profile = Run(batchSize: 8, maxLength: 10, seconds).ShouldNotBeNull();

        var times = _measured.CountBy(one => (one.Kind, Rows: one.Lengths.Length + one.Lengths.Sum())).ToDictionary();
        times[(IterationKind.Plain, 1)].ShouldBe(4, "the first of the rounds that count was begun");
        times[(IterationKind.LookingUp, 88)].ShouldBe(3, "and not ended");
        profile.Target.At(88).ShouldBe(10 + 88 + (88 - 32), 1e-9);
    }

    [Fact]
    public void A_clock_that_stands_still_gives_no_profile() =>
        new CostProfiler(
            4,
            4,
            hasDraft: true,
            (lengths, _) => new IterationTiming([.. lengths.Select(_ => new PassTiming(1, 0))], new PassTiming(1, 0), 0),
            _time
        )
            .Run(TimeSpan.FromSeconds(1))
            .ShouldBeNull();

    private int _bend = int.MaxValue;

    private long Start { get; set; }

    [Fact]
    public void Without_a_draft_only_plain_iterations_and_those_of_lookup_are_measured()
    {
        var profile = Run(batchSize: 4, maxLength: 4, seconds: 60, hasDraft: false).ShouldNotBeNull();
        _measured.Select(one => one.Kind).Distinct().ShouldBe([IterationKind.Plain, IterationKind.LookingUp]);
        profile.Price(6, 0, IterationKind.LookingUp).ShouldBe(16 + 0.25 + 0.06, 1e-9);
        CostProfile.Of(profile.ToCosts()).Price(6, 0, IterationKind.LookingUp).ShouldBe(16 + 0.25 + 0.06, 1e-9);
        profile.Draft.At(7).ShouldBe(0);
    }

    private CostProfile? Run(int batchSize, int maxLength, double seconds, bool hasDraft = true)
    {
        Start = _time.GetTimestamp();
        return new CostProfiler(batchSize, maxLength, hasDraft, Measure, _time).Run(TimeSpan.FromSeconds(seconds));
    }

    /// <summary>A target pass of r rows takes 10 + r, a draft step of r rows 1 + r/10, the rest 0.5 + r/100 milliseconds, 0.25 less if
    /// lookup proposes.</summary>
    private IterationTiming Measure(int[] lengths, IterationKind kind)
    {
        _measured.Add((lengths, kind));
        var rows = lengths.Length + lengths.Sum();
        var drafts = Enumerable
            .Range(0, kind == IterationKind.Drafting ? lengths[0] : 0)
            .Select(step => lengths.Count(length => length > step))
            .Select(active => new PassTiming(active, 1 + (active / 10.0)))
            .ToList();
        var passMs = 10 + rows + Math.Max(0, rows - _bend);
        var restMs = (kind == IterationKind.LookingUp ? 0.25 : 0.5) + (rows / 100.0);
        var timing = new IterationTiming(drafts, new PassTiming(rows, passMs), passMs + drafts.Sum(pass => pass.Milliseconds) + restMs)
        {
            LooksUp = kind == IterationKind.LookingUp,
        };
        _time.Advance(TimeSpan.FromMilliseconds(timing.TotalMs));
        return timing;
    }

    private static string Describe((int[] Lengths, IterationKind Kind) one) => $"{one.Kind} {string.Join(' ', one.Lengths)}";
}
