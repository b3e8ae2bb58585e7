using Dsde.Speculation.Guarding;

namespace Dsde.Speculation.Tests.Guarding;

public class TimeRatiosTests
{
    private readonly TimeRatios _ratios = new();

    [Fact]
    public void What_slows_the_usual_kind_slows_all()
    {
        Observe(100, IterationKind.Drafting, 1.5);
        Enum.GetValues<IterationKind>().ShouldAllBe(kind => Math.Abs(_ratios.Of(kind) - 1.5) < 0.01);
    }

    [Fact]
    public void Hold_outs_tell_the_kinds_apart()
    {
        for (var i = 0; i < 100; i++)
        {
            Observe(30, IterationKind.Drafting, 1.2);
            _ratios.Observe(IterationKind.Plain, isHoldOut: true, 0.9);
        }

        _ratios.Of(IterationKind.Drafting).ShouldBe(1.2, 0.01);
        _ratios.Of(IterationKind.Plain).ShouldBe(0.9, 0.03);
    }

    [Fact]
    public void A_change_of_kind_that_is_no_hold_out_makes_the_other_kind_the_usual_one()
    {
        Observe(1, IterationKind.Plain, 2);
        _ratios.Of(IterationKind.Plain).ShouldBeGreaterThan(_ratios.Of(IterationKind.Drafting));
        var apart = _ratios.Of(IterationKind.Plain) / _ratios.Of(IterationKind.Drafting);
        Observe(100, IterationKind.Plain, 2);
        _ratios.Of(IterationKind.Plain).ShouldBe(2, 0.02);
        (_ratios.Of(IterationKind.Plain) / _ratios.Of(IterationKind.Drafting)).ShouldBe(apart, 1e-9);
    }

    [Fact]
    public void A_single_outlier_moves_little()
    {
        Observe(100, IterationKind.Drafting, 1);
        _ratios.Observe(IterationKind.Drafting, isHoldOut: false, 50);
        _ratios.Of(IterationKind.Drafting).ShouldBeInRange(1, 1.05);
        _ratios.Observe(IterationKind.Plain, isHoldOut: true, 50);
        (_ratios.Of(IterationKind.Plain) / _ratios.Of(IterationKind.Drafting)).ShouldBeInRange(1, 1.2);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void A_clock_that_stands_still_teaches_nothing(double ratio)
    {
        Observe(10, IterationKind.Drafting, ratio);
        _ratios.Of(IterationKind.Drafting).ShouldBe(1);
    }

    private void Observe(int count, IterationKind kind, double ratio)
    {
        for (var i = 0; i < count; i++)
        {
            _ratios.Observe(kind, isHoldOut: false, ratio);
        }
    }
}
